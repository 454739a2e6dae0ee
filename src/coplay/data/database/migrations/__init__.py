"""Alembic's migrations to the tables of `coplay.data.database.tables`.

A migration is never changed after its release; later changes are migrations of their own.
"""

from typing import Final

HEAD: Final = "0003"
"""The newest migration."""
