"""Batches may be stored packed; see `coplay.data.database.packing`.

Nothing is rewritten. The step is there so that a coplay that cannot unpack them refuses the database, instead
of calling its batches damaged.
"""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Those that are there stay as they are."""
