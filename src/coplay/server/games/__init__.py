"""Running games: seats, held seats, signaling, and how a play scene is set up."""
