"""The other peers of a game, and which peer supplies each player's inputs."""
