"""The tables of an export: every column with its type, unit and meaning. The codebook is made from this."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

_TEXT: Final = pa.string()
_INT: Final = pa.int64()
_FLOAT: Final = pa.float64()
_FLAG: Final = pa.bool_()
_SEAT: Final = pa.struct([("player_id", _INT), ("participant_id", _TEXT), ("owner", _INT)])
_LOG: Final = pa.struct([("player_id", _INT), ("frames", _INT), ("sha256", _TEXT)])
_CUT: Final = pa.struct([("player_id", _INT), ("last_frame", _INT), ("fate", _TEXT)])
_DESYNC: Final = pa.struct(
    [
        ("reported_by", _INT),
        ("frame", _INT),
        ("peer", _INT),
        ("paths", pa.list_(_TEXT)),
        ("resynced_at", _INT),
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        type: Its Arrow type; None for actions and observations, whose types follow the environments.
        meaning: What a value says.
        unit: What a number counts; empty where it is none.
    """

    name: str
    type: "pa.DataType | None"
    meaning: str
    unit: str = ""


_GAME = Column("game_id", _TEXT, "the game")
_FRAME = Column("frame", _INT, "number of the frame, from 0 over the whole game")
_PLAYER = Column("player_id", _INT, "the seat, from 0")
_ACTION = Column("action", None, "the action, as the environment takes it")
_UTC = "ISO 8601, UTC"
_MS = "milliseconds of the server's monotonic clock"

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "participants": (
        Column("participant_id", _TEXT, "pseudonym of a person"),
        Column("study", _TEXT, "name of the study"),
        Column("version", _TEXT, "version of the study when they arrived"),
        Column("condition", _TEXT, "assigned condition, as JSON; missing if the study has none"),
        Column("consent", _TEXT, "consent given, as JSON; missing if the study asks for none"),
        Column("arrived_utc", _TEXT, "first arrival", _UTC),
        Column("arrived_ms", _FLOAT, "first arrival", _MS),
        Column("finished_utc", _TEXT, "end of their path; missing if they never reached one", _UTC),
        Column("finished_ms", _FLOAT, "end of their path", _MS),
        Column(
            "ended_how",
            _TEXT,
            "completed, waited (in vain, in a lobby) or left (pressed the button that leaves); missing if "
            "they never reached an end",
        ),
        Column(
            "dropped_out",
            _TEXT,
            "how someone went who reached no end: page closed (or the connection lost, and not back), never "
            "connected, game never began (nothing was played on their page), or still there; missing for who "
            "reached one",
        ),
        Column("last_scene", _INT, "the scene they were in last, by its place in the study, from 0"),
        Column("completion_code", _TEXT, "the code they were shown"),
        Column("browser", _TEXT, "the browser's User-Agent"),
    ),
    "groups": (
        Column("group_id", _TEXT, "the group"),
        Column("study", _TEXT, "name of the study"),
        Column("scene", _INT, "the lobby that formed it, by its place in the study"),
        Column("members", pa.list_(_TEXT), "participant ids, in the order they came"),
        Column("formed_utc", _TEXT, "when it was formed", _UTC),
        Column("formed_ms", _FLOAT, "when it was formed", _MS),
    ),
    "games": (
        _GAME,
        Column("group_id", _TEXT, "the group that played; missing if one person played"),
        Column("study", _TEXT, "name of the study"),
        Column("version", _TEXT, "version of the study"),
        Column("scene", _INT, "the play scene, by its place in the study"),
        Column("label", _TEXT, "the scene's label"),
        Column(
            "seats",
            pa.list_(_SEAT),
            "who sat where; a bot's seat has no participant, and another player as owner, who ran it; a seat "
            "of its own without participant is somebody's who was erased",
        ),
        Column("seed", _INT, "all randomness of the game derives from it"),
        Column("env", _TEXT, "the environment"),
        Column("code_hash", _TEXT, "sha256 of the study's code; kept in bundles/ of the data directory"),
        Column(
            "lock_hash", _TEXT, "sha256 of the browser runtime's lock; kept in locks/ of the data directory"
        ),
        Column("fps", _FLOAT, "frames a second"),
        Column(
            "input_delay", _INT, "frames between a key and its effect, as used; missing if nobody reported it"
        ),
        Column("window", _INT, "most frames shown ahead of what was confirmed"),
        Column("episodes", _INT, "episodes asked for"),
        Column("max_frames", _INT, "longest episode in frames; missing for no limit"),
        Column("countdown_frames", _INT, "frames of countdown before each episode"),
        Column("started_utc", _TEXT, "when it began", _UTC),
        Column("started_ms", _FLOAT, "when it began", _MS),
        Column("ended_utc", _TEXT, "when its last player was done", _UTC),
        Column("ended_ms", _FLOAT, "when its last player was done", _MS),
        Column("frames", _INT, "agreed frames; missing while it runs"),
        Column(
            "verdict",
            _TEXT,
            "identical (all browsers reported the same), truncated (the same up to a frame, where it ended "
            "early), divergent (inputs or states differed), or unverified (somebody's report is missing); "
            "missing while it runs",
        ),
        Column(
            "verdict_frame",
            _INT,
            "truncated: the last frame that all have; divergent: the first that differs; else missing",
        ),
        Column("verdict_reason", _TEXT, "why, in a sentence"),
        Column("chain_hash", _TEXT, "hash chain over the agreed log, as all peers reported it"),
        Column("left_early", pa.list_(_INT), "players who left before the end"),
        Column("checksums_compared", _INT, "state checksums of one peer that were compared with another's"),
        Column("logs", pa.list_(_LOG), "each peer's copy of the input log: its frames and sha256"),
        Column(
            "cuts",
            pa.list_(_CUT),
            "seats whose person left or came back: the last frame of theirs, and what became of the seat",
        ),
        Column(
            "desyncs",
            pa.list_(_DESYNC),
            "states of two players that differed, what in them, and from which frame they were equal again",
        ),
    ),
    "episodes": (
        _GAME,
        Column("episode", _INT, "number of the episode, from 0"),
        Column("seed", _INT, "the seed given to the environment's reset"),
        Column("first_frame", _INT, "first frame in which the environment was stepped"),
        Column("last_frame", _INT, "last frame in which the environment was stepped"),
        Column("ended_how", _TEXT, "terminated, truncated, or unfinished"),
        Column("returns", pa.list_(_FLOAT), "sum of rewards of each player"),
    ),
    "steps": (
        _GAME,
        Column("episode", _INT, "number of the episode, from 0"),
        _FRAME,
        _PLAYER,
        _ACTION,
        Column("reward", _FLOAT, "reward of this step"),
        Column("terminated", _FLAG, "the environment ended for this player"),
        Column("truncated", _FLAG, "the episode was cut off for this player"),
    ),
    "inputs": (
        _GAME,
        _FRAME,
        _PLAYER,
        _ACTION,
        Column("input", pa.binary(), "the action as it travelled between peers"),
        Column(
            "confirmed_at_ms",
            _FLOAT,
            "when the frame was confirmed in this player's own browser",
            "milliseconds of its monotonic clock",
        ),
        Column(
            "shown_as_predicted",
            _FLAG,
            "another peer first showed a guess; missing if no other peer reported",
        ),
        Column(
            "corrected_after_frames",
            _INT,
            "longest time a wrong guess was shown, 0 if it was right",
            "frames",
        ),
    ),
    "responses": (
        Column("participant_id", _TEXT, "who answered"),
        Column("scene", _INT, "the scene, by its place in the study"),
        Column("question", _TEXT, "name of the question"),
        Column("value", _TEXT, "the answer, as JSON"),
        Column("rt_ms", _FLOAT, "time to answer", "milliseconds"),
    ),
    "events": (
        Column("study", _TEXT, "name of the study"),
        Column("participant_id", _TEXT, "to whom it happened"),
        Column("game_id", _TEXT, "in which game"),
        Column("player_id", _INT, "in which seat"),
        Column("source", _TEXT, "server or browser: whose clock"),
        Column("utc", _TEXT, "when", _UTC),
        Column("ms", _FLOAT, "when", "milliseconds of the source's monotonic clock"),
        Column("kind", _TEXT, "what: event_kinds.csv says what each kind means"),
        Column("detail", _TEXT, "more, as JSON"),
    ),
    "net": (
        _GAME,
        Column("participant_id", _TEXT, "whose browser measured"),
        Column("player_id", _INT, "that person's seat"),
        Column("peer", _INT, "the other end's seat; missing if there is none"),
        Column("utc", _TEXT, "when", _UTC),
        Column("ms", _FLOAT, "when", "milliseconds of the browser's monotonic clock"),
        Column("rtt_ms", _FLOAT, "round-trip time, as the game's own datagrams measure it", "milliseconds"),
        Column("jitter_ms", _FLOAT, "its variation", "milliseconds"),
        Column("loss", _FLOAT, "datagrams that were lost, or came after three later ones", "fraction"),
        Column("link", _TEXT, "direct, turn or relay"),
        Column("rollbacks", _INT, "rollbacks since the last row, over all peers"),
        Column("resimulated_frames", _INT, "frames simulated again since the last row"),
        Column("stalled_frames", _INT, "frames waited at the window since the last row"),
        Column("packets_sent", _INT, "datagrams sent since the last row, to all peers"),
        Column("bytes_sent", _INT, "bytes sent since the last row, to all peers"),
        Column(
            "browser_rtt_ms",
            _FLOAT,
            "round-trip time of a direct or turn path, as the browser itself measures it",
            "milliseconds",
        ),
        Column(
            "path_bytes_sent",
            _INT,
            "bytes sent on the path since the last row, with all that is below the game's datagrams",
        ),
        Column("path_bytes_received", _INT, "bytes received on the path since the last row, likewise"),
        Column(
            "buffered_amount",
            _INT,
            "most bytes that waited in the data channel since the last row; missing without a channel",
        ),
    ),
}

OBSERVED: Final = (
    Column(
        "observation",
        None,
        "what the environment gave the player before this step, in the agreed game; missing if the agent was "
        "not there, or the game could not be replayed up to here",
    ),
    Column("final_observation", None, "what the last step of an episode gave; missing in all other rows"),
    Column("info", _TEXT, "what the environment said beside this step, as JSON"),
)
"""More columns of `steps`, derived by replay; only exported on request."""

RECRUITMENT: Final = (
    Column("study", _TEXT, "name of the study"),
    Column("participant_id", _TEXT, "pseudonym of a person"),
    Column("utc", _TEXT, "arrival", _UTC),
    Column("params", _TEXT, "what the link carried, as JSON"),
)
"""The table `recruitment`; only exported on request."""
