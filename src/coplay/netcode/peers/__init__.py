"""The other peers of a game, and the seats that they write."""
