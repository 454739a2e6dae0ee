"""Uploads of peers about their games: stored, compared, and judged by a verdict."""
