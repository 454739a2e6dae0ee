"""A game's state as bytes, sent to a peer that lost its own or differs."""
