"""What a running game measures of itself."""
