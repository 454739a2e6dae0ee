"""A game's state as bytes for another peer."""
