"""The browsers' Python in a process of its own, under Node."""
