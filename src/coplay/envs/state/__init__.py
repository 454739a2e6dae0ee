"""Snapshots of an environment's state: the walk, its plan, checksums and differences."""
