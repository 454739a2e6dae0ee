"""What peers upload about their games, and the verdict over it."""
