"""The bytes of datagrams: encoded, and decoded with bounds. Layout: protocol/datagrams.md."""
