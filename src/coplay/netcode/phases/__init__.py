"""The phases of a session (hello, running, closing), and the parts that serve them."""
