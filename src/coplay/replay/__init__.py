"""`coplay replay`: simulates a recorded game again and compares it with everything stored."""
