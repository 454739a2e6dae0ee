"""The tables of an export: every column with its type, meaning and unit, from which the codebook is made."""

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
    """A column of a table.

    Attributes:
        name: The column's name.
        type: The Arrow type; None for actions and observations, whose types depend on the environments.
        meaning: What a value means.
        unit: The unit or notation of a value; empty where there is none.
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
        Column("condition", _TEXT, "assigned condition, as JSON; missing if the study has no conditions"),
        Column("consent", _TEXT, "consent given, as JSON; missing if the study does not ask for consent"),
        Column("arrived_utc", _TEXT, "first arrival", _UTC),
        Column("arrived_ms", _FLOAT, "first arrival", _MS),
        Column(
            "finished_utc", _TEXT, "when they reached an end of the study; missing if they never did", _UTC
        ),
        Column("finished_ms", _FLOAT, "when they reached an end of the study", _MS),
        Column(
            "ended_how",
            _TEXT,
            "completed, waited (a lobby found no partner in time) or left (they pressed the button that "
            "leaves); missing if they never reached an end",
        ),
        Column(
            "dropped_out",
            _TEXT,
            "how someone who reached no end dropped out: page closed (or the connection lost for good), "
            "never connected, game never began (nothing was played on their page), or still there; missing "
            "for those who reached an end",
        ),
        Column("last_scene", _INT, "number of the scene they were in last, from 0 in the order of the study"),
        Column("completion_code", _TEXT, "the completion code that they were shown"),
        Column("browser", _TEXT, "the browser's User-Agent"),
    ),
    "groups": (
        Column("group_id", _TEXT, "the group"),
        Column("study", _TEXT, "name of the study"),
        Column("scene", _INT, "number of the lobby scene that formed it, from 0"),
        Column(
            "members", pa.list_(_TEXT), "participant ids, in the order of arrival; missing ones were erased"
        ),
        Column("formed_utc", _TEXT, "when it was formed", _UTC),
        Column("formed_ms", _FLOAT, "when it was formed", _MS),
    ),
    "games": (
        _GAME,
        Column("group_id", _TEXT, "the group that played; missing if one person played"),
        Column("study", _TEXT, "name of the study"),
        Column("version", _TEXT, "version of the study"),
        Column("scene", _INT, "number of the play scene, from 0"),
        Column("label", _TEXT, "the scene's label"),
        Column(
            "seats",
            pa.list_(_SEAT),
            "who sat where; the owner is the player whose browser gave the seat's inputs; a bot's seat has "
            "no participant and another player as owner; a seat without participant that is its own owner "
            "was that of a person who has been erased",
        ),
        Column("seed", _INT, "seed from which all randomness of the game is derived"),
        Column("env", _TEXT, "name of the environment"),
        Column(
            "code_hash",
            _TEXT,
            "sha256 of the study's code, which is in the folder bundles of the data directory",
        ),
        Column(
            "lock_hash",
            _TEXT,
            "sha256 of the browser runtime's lock file, which is in the folder locks of the data directory",
        ),
        Column("fps", _FLOAT, "frames simulated per second"),
        Column(
            "input_delay",
            _INT,
            "frames between a key press and its effect; missing if nobody reported it, or it was not the "
            "same for all",
        ),
        Column("window", _INT, "maximum number of frames that were shown ahead of the last confirmed one"),
        Column("episodes", _INT, "number of episodes that the study asks for"),
        Column("max_frames", _INT, "maximum length of an episode in frames; missing if there is no limit"),
        Column("countdown_frames", _INT, "length of the countdown before each episode, in frames"),
        Column("started_utc", _TEXT, "when it began", _UTC),
        Column("started_ms", _FLOAT, "when it began", _MS),
        Column("ended_utc", _TEXT, "when its last player finished", _UTC),
        Column("ended_ms", _FLOAT, "when its last player finished", _MS),
        Column("frames", _INT, "number of agreed frames; missing while it runs"),
        Column(
            "verdict",
            _TEXT,
            "identical (all browsers reported the same), truncated (the same up to a frame at which it ended "
            "early), divergent (inputs or states differed), or unverified (the report of a browser is "
            "missing); missing while it runs",
        ),
        Column(
            "verdict_frame",
            _INT,
            "truncated: the last frame that all browsers have; divergent: the first frame that differs; "
            "otherwise missing",
        ),
        Column("verdict_reason", _TEXT, "reason of the verdict, in a sentence"),
        Column("chain_hash", _TEXT, "hash of the agreed input log, as all browsers reported it"),
        Column("left_early", pa.list_(_INT), "players who left before the end"),
        Column(
            "checksums_compared", _INT, "number of state checksums that were compared with another browser's"
        ),
        Column("logs", pa.list_(_LOG), "each browser's copy of the input log: number of frames and sha256"),
        Column(
            "cuts",
            pa.list_(_CUT),
            "seats whose person left: the last frame with an input of that person, and what became of the "
            "seat (fate: default, bot or end; back where a person took it again)",
        ),
        Column(
            "desyncs",
            pa.list_(_DESYNC),
            "states of two browsers that differed: before which frame, in which attributes, and from which "
            "frame they were equal again (missing if they never were)",
        ),
    ),
    "episodes": (
        _GAME,
        Column("episode", _INT, "number of the episode, from 0"),
        Column("seed", _INT, "the seed given to the environment's reset"),
        Column("first_frame", _INT, "first frame in which the environment was stepped"),
        Column("last_frame", _INT, "last frame in which the environment was stepped"),
        Column("ended_how", _TEXT, "terminated, truncated, or unfinished (the recording ends within it)"),
        Column("returns", pa.list_(_FLOAT), "sum of the rewards of each player, in the order of player_id"),
    ),
    "steps": (
        _GAME,
        Column("episode", _INT, "number of the episode, from 0"),
        _FRAME,
        _PLAYER,
        _ACTION,
        Column("reward", _FLOAT, "reward of this step"),
        Column("terminated", _FLAG, "the environment reached an end for this player"),
        Column("truncated", _FLAG, "the episode was cut off for this player"),
    ),
    "inputs": (
        _GAME,
        _FRAME,
        _PLAYER,
        _ACTION,
        Column("input", pa.binary(), "the action in the bytes that browsers sent each other"),
        Column(
            "confirmed_at_ms",
            _FLOAT,
            "when the frame was confirmed in this player's own browser",
            "milliseconds of its monotonic clock",
        ),
        Column(
            "shown_as_predicted",
            _FLAG,
            "true if another browser first showed a guess of this input; missing if no other one uploaded",
        ),
        Column(
            "corrected_after_frames",
            _INT,
            "how long a wrong guess was shown, at most over all browsers; 0 if the guess was right",
            "frames",
        ),
    ),
    "responses": (
        Column("participant_id", _TEXT, "who answered"),
        Column("scene", _INT, "number of the scene, from 0"),
        Column("question", _TEXT, "name of the question"),
        Column("value", _TEXT, "the answer, as JSON"),
        Column("rt_ms", _FLOAT, "time taken to answer", "milliseconds"),
    ),
    "events": (
        Column("study", _TEXT, "name of the study"),
        Column("participant_id", _TEXT, "the person to whom it happened"),
        Column("game_id", _TEXT, "the game in which it happened; missing outside games"),
        Column("player_id", _INT, "the person's seat in that game; missing outside games"),
        Column("source", _TEXT, "who recorded it, on whose clock: server or browser"),
        Column("utc", _TEXT, "time", _UTC),
        Column("ms", _FLOAT, "time", "milliseconds of the source's monotonic clock"),
        Column("kind", _TEXT, "kind of event; event_kinds.csv explains each"),
        Column("detail", _TEXT, "details, as JSON; event_kinds.csv names the fields"),
    ),
    "net": (
        _GAME,
        Column("participant_id", _TEXT, "the person whose browser measured"),
        Column("player_id", _INT, "that person's seat"),
        Column("peer", _INT, "seat of the player at the other end of the link; missing if there is no link"),
        Column("utc", _TEXT, "time", _UTC),
        Column("ms", _FLOAT, "time", "milliseconds of the browser's monotonic clock"),
        Column("rtt_ms", _FLOAT, "round-trip time, as the game's own datagrams measure it", "milliseconds"),
        Column("jitter_ms", _FLOAT, "variation of the round-trip time", "milliseconds"),
        Column(
            "loss", _FLOAT, "share of datagrams that were lost, or arrived after three later ones", "fraction"
        ),
        Column("link", _TEXT, "direct, turn (through a TURN server) or relay (through the study's server)"),
        Column("rollbacks", _INT, "rollbacks since the last row, caused by any player's input"),
        Column("resimulated_frames", _INT, "frames simulated again by rollbacks since the last row"),
        Column(
            "stalled_frames",
            _INT,
            "frames for which the picture stood still since the last row, waiting for inputs",
        ),
        Column("packets_sent", _INT, "datagrams sent since the last row, to all players"),
        Column("bytes_sent", _INT, "bytes of datagrams sent since the last row, to all players"),
        Column(
            "browser_rtt_ms",
            _FLOAT,
            "round-trip time of a direct or turn link, as the browser's WebRTC measures it",
            "milliseconds",
        ),
        Column(
            "path_bytes_sent",
            _INT,
            "bytes sent on the link since the last row, with the overhead of the protocols below",
        ),
        Column(
            "path_bytes_received",
            _INT,
            "bytes received on the link since the last row, with the same overhead",
        ),
        Column(
            "buffered_amount",
            _INT,
            "maximum number of bytes that waited in the data channel since the last row; missing without a "
            "channel",
        ),
    ),
}

OBSERVED: Final = (
    Column(
        "observation",
        None,
        "what the environment showed the player before this step, in the agreed game; missing if the agent "
        "was not in the environment, or the game could not be replayed up to here",
    ),
    Column(
        "final_observation", None, "observation after the last step of an episode; missing in all other rows"
    ),
    Column("info", _TEXT, "the environment's info of this step, as JSON"),
)
"""More columns of `steps`, which are derived by replay and only exported on request."""

RECRUITMENT: Final = (
    Column("study", _TEXT, "name of the study"),
    Column("participant_id", _TEXT, "pseudonym of a person"),
    Column("utc", _TEXT, "time of arrival", _UTC),
    Column("params", _TEXT, "parameters of the link by which they came, as JSON"),
)
"""The columns of the table `recruitment`, which is only exported on request."""
