"""Measurements of a running game, for the page and for the record."""
