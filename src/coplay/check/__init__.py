"""`coplay check`: whether an environment is safe for peer-to-peer play, and if not, what state leaks."""
