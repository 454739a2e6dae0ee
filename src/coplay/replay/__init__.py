"""`coplay replay`: plays a recorded game again and compares it with everything stored."""
