"""Films of recorded games, drawn from players' canvases."""
