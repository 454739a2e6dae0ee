"""What faces the network: HTTP routes, sockets, and their limits."""
