"""Links from a headless peer to the other players: their life cycle, aiortc connections, and the relay."""
