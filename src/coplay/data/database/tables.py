"""The current tables of the database; the steps in `migrations` bring older databases to them.

What a browser uploaded is stored unchanged (`batches.body`: inputs, rewards, flags …, packed; its columns are
in `coplay.data.batches`); an export derives its tables from it. Times come in pairs: `…_utc` in ISO 8601 with
milliseconds, and `…_ms` in milliseconds of the server's monotonic clock.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from coplay.data.database.packing import PackedBatch

metadata = MetaData()

participants = Table(
    "participants",
    metadata,
    Column("study", String(64), primary_key=True),
    Column("participant_id", String(128), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("condition", JSON),
    Column("consent", JSON),
    Column("arrived_utc", String(32), nullable=False),
    Column("arrived_ms", Float, nullable=False),
    Column("finished_utc", String(32)),
    Column("finished_ms", Float),
    Column("ended_how", String(32)),
    Column("completion_code", String(128)),
    Column("browser", Text, nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("scene", Integer, nullable=False),
)

recruitment = Table(
    "recruitment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", String(64), nullable=False, index=True),
    Column("participant_id", String(128), nullable=False),
    Column("utc", String(32), nullable=False),
    Column("params", JSON, nullable=False),
)
"""The parameters of recruiters' links, kept apart so that they are only exported on request."""

groups = Table(
    "groups",
    metadata,
    Column("group_id", String(40), primary_key=True),
    Column("study", String(64), nullable=False, index=True),
    Column("scene", Integer, nullable=False),
    Column("members", JSON, nullable=False),
    Column("formed_utc", String(32), nullable=False),
    Column("formed_ms", Float, nullable=False),
)

games = Table(
    "games",
    metadata,
    Column("game_id", String(40), primary_key=True),
    Column("group_id", String(40)),
    Column("study", String(64), nullable=False, index=True),
    Column("version", String(64), nullable=False),
    Column("scene", Integer, nullable=False),
    Column("label", String(128), nullable=False),
    Column("seats", JSON, nullable=False),
    Column("input_sizes", JSON, nullable=False),
    Column("codecs", JSON, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("env", Text, nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("lock_hash", String(64), nullable=False),
    Column("fps", Float, nullable=False),
    Column("input_delay", Integer),
    Column("window", Integer, nullable=False),
    Column("episodes", Integer, nullable=False),
    Column("max_frames", Integer),
    Column("countdown_frames", Integer, nullable=False),
    Column("started_utc", String(32), nullable=False),
    Column("started_ms", Float, nullable=False),
    Column("ended_utc", String(32)),
    Column("ended_ms", Float),
    Column("frames", Integer),
    Column("verdict", String(32)),
    Column("verdict_frame", Integer),
    Column("verdict_reason", Text),
    Column("chain_hash", String(128)),
    Column("left_early", JSON),
    Column("checksums_compared", Integer),
    Column("cuts", JSON),
    Column("desyncs", JSON),
)
"""`cuts` maps each player whose seat changed hands to `[{last_frame, fate}]`, where `last_frame` is the last
frame with an input of the person; `desyncs` is `[{reported_by, frame, peer, paths, resynced_at}]`. Both are
made by `coplay.data.games.reports`.
"""

reports = Table(
    "reports",
    metadata,
    Column("game_id", String(40), primary_key=True),
    Column("peer", Integer, primary_key=True),
    Column("utc", String(32), nullable=False),
    Column("body", JSON, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("game_id", String(40), primary_key=True),
    Column("peer", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_frame", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("utc", String(32), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body", PackedBatch, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", String(64), nullable=False, index=True),
    Column("participant_id", String(128)),
    Column("game_id", String(40), index=True),
    Column("player_id", Integer),
    Column("utc", String(32), nullable=False),
    Column("ms", Float, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
)
