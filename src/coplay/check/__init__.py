"""`coplay check`: is an environment safe for peer-to-peer play, and what leaks if it is not?"""
