"""The tables as they were when coplay had no migrations yet."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "participants",
        sa.Column("study", sa.String(64), primary_key=True),
        sa.Column("participant_id", sa.String(128), primary_key=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("condition", sa.JSON),
        sa.Column("consent", sa.JSON),
        sa.Column("arrived_utc", sa.String(32), nullable=False),
        sa.Column("arrived_ms", sa.Float, nullable=False),
        sa.Column("finished_utc", sa.String(32)),
        sa.Column("finished_ms", sa.Float),
        sa.Column("ended_how", sa.String(32)),
        sa.Column("completion_code", sa.String(128)),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scene", sa.Integer, nullable=False),
    )
    op.create_table(
        "recruitment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study", sa.String(64), nullable=False, index=True),
        sa.Column("participant_id", sa.String(128), nullable=False),
        sa.Column("utc", sa.String(32), nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
    )
    op.create_table(
        "groups",
        sa.Column("group_id", sa.String(40), primary_key=True),
        sa.Column("study", sa.String(64), nullable=False, index=True),
        sa.Column("scene", sa.Integer, nullable=False),
        sa.Column("members", sa.JSON, nullable=False),
        sa.Column("formed_utc", sa.String(32), nullable=False),
        sa.Column("formed_ms", sa.Float, nullable=False),
    )
    op.create_table(
        "games",
        sa.Column("game_id", sa.String(40), primary_key=True),
        sa.Column("group_id", sa.String(40)),
        sa.Column("study", sa.String(64), nullable=False, index=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("scene", sa.Integer, nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("seats", sa.JSON, nullable=False),
        sa.Column("input_sizes", sa.JSON, nullable=False),
        sa.Column("codecs", sa.JSON, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("lock_hash", sa.String(64), nullable=False),
        sa.Column("fps", sa.Float, nullable=False),
        sa.Column("input_delay", sa.Integer),
        sa.Column("window", sa.Integer, nullable=False),
        sa.Column("episodes", sa.Integer, nullable=False),
        sa.Column("max_frames", sa.Integer),
        sa.Column("countdown_frames", sa.Integer, nullable=False),
        sa.Column("started_utc", sa.String(32), nullable=False),
        sa.Column("started_ms", sa.Float, nullable=False),
        sa.Column("ended_utc", sa.String(32)),
        sa.Column("ended_ms", sa.Float),
        sa.Column("frames", sa.Integer),
        sa.Column("verdict", sa.String(32)),
        sa.Column("verdict_frame", sa.Integer),
        sa.Column("verdict_reason", sa.Text),
        sa.Column("chain_hash", sa.String(128)),
        sa.Column("left_early", sa.JSON),
        sa.Column("checksums_compared", sa.Integer),
    )
    op.create_table(
        "reports",
        sa.Column("game_id", sa.String(40), primary_key=True),
        sa.Column("peer", sa.Integer, primary_key=True),
        sa.Column("utc", sa.String(32), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "batches",
        sa.Column("game_id", sa.String(40), primary_key=True),
        sa.Column("peer", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("first_frame", sa.Integer, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("utc", sa.String(32), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study", sa.String(64), nullable=False, index=True),
        sa.Column("participant_id", sa.String(128)),
        sa.Column("game_id", sa.String(40)),
        sa.Column("player_id", sa.Integer),
        sa.Column("utc", sa.String(32), nullable=False),
        sa.Column("ms", sa.Float, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
