"""How each type of object in an environment's state is saved and restored."""
