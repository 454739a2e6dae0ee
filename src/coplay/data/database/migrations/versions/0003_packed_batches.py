"""Batches may be packed from here on; see `coplay.data.database.packing`.

Nothing is rewritten. The migration makes an older coplay, which cannot unpack batches, refuse the database
instead of reporting damaged batches.
"""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Leave the batches that exist as they are."""
