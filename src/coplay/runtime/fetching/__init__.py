"""Fetches the runtime's files: sources, package clients, the file cache, and the resolver of wheels."""
