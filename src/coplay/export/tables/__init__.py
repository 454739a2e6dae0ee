"""The tables of an export, with their codebook."""
