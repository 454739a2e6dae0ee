"""Observations and screens of replayed games."""
