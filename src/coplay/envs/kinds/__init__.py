"""How the state walk saves and restores each type of object."""
