"""Columns for seats that changed hands and for desyncs, and an index to find the events of a game."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add two columns and an index."""
    op.add_column("games", sa.Column("cuts", sa.JSON))
    op.add_column("games", sa.Column("desyncs", sa.JSON))
    op.create_index("ix_events_game_id", "events", ["game_id"])
