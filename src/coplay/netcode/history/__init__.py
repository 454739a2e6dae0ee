"""The frames of a game: predicted, corrected, confirmed and logged, and what peers compare of the log."""
