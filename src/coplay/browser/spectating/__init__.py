"""Watching a running game of others."""
