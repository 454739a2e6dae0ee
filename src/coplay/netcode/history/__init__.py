"""The frames of a game: predicted, corrected, confirmed, and what the peers agree on about them."""
