"""All I/O of a study's server: pages, sockets, uploads, and the clock that drives lobbies and games."""
