"""Builds a runtime: compiled archives, stand-ins, the lock."""
