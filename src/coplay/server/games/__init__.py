"""Running games: their seats, how long seats are held, signaling, and how a play scene is set up."""
