"""A headless peer's links to other players: state machine, aiortc connection, relay lane."""
