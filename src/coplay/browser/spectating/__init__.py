"""Watching a running game: a peer that follows the confirmed frames."""
