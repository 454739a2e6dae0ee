"""The bytes of every datagram between peers, encoded and decoded with bounds."""
