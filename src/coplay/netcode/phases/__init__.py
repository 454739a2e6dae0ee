"""The phases of a session, and the parts that work in each: hello, running, closing, repairs."""
