"""Films of recorded games, as a player's screen showed them."""
