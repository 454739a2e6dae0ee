"""The peers' reports of the end of a game: checked, and merged into the columns of the game."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

MAX_PLAYERS: Final = 8
MAX_ROWS: Final = 256
MAX_PATHS: Final = 32
MAX_TEXT: Final = 200
_MOST_FRAMES: Final = 2**31

Fate: TypeAlias = Literal["default", "bot", "end", "back"]
"""What became of a seat: the default action or a bot played on, the game ended, or its person came back."""


@dataclass(frozen=True, slots=True)
class ReportedCut:
    """A seat that changed hands, as the peers agreed.

    Attributes:
        player: The seat.
        last_frame: The last frame with an input of its person; -1 if there is none.
        fate: What became of the seat.
    """

    player: int
    last_frame: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class ReportedDesync:
    """A desync: two peers' states that should have been equal and were not.

    Attributes:
        frame: The frame before which the states differed.
        peer: The other peer.
        paths: The attributes that differed, as `Game.diff` names them; empty if unknown.
        resynced_at: The frame from which the states were equal again; None if they never were.
    """

    frame: int
    peer: int
    paths: tuple[str, ...]
    resynced_at: int | None


@dataclass(frozen=True, slots=True)
class PeerReport:
    """What one peer reported at the end of a game.

    Attributes:
        verdict: The session's verdict: `identical`, `truncated`, `divergent`, `unverified` or `mismatch`.
        last_frame: The last frame that the peer confirmed; -1 if there is none.
        chain_hash: The hash of everything that the peer confirmed, in hexadecimal.
        reason: The session's own words.
        cuts: Seats that changed hands, in order.
        desyncs: States that differed from another peer's, in order.
    """

    verdict: str
    last_frame: int
    chain_hash: str
    reason: str = ""
    cuts: tuple[ReportedCut, ...] = ()
    desyncs: tuple[ReportedDesync, ...] = ()


def read_report(body: Mapping[str, Any], players: int = MAX_PLAYERS) -> PeerReport:
    """Check a report that a peer uploaded.

    Args:
        body: The report as JSON, which is untrusted; `seats` and `desyncs` may be missing.
        players: The number of seats of the game.

    Raises:
        ValueError: The report is malformed.
    """
    verdict, chain = body.get("verdict"), body.get("chain_hash")
    if not isinstance(verdict, str) or len(verdict) > 64:
        raise ValueError("verdict is not a short text")
    if not isinstance(chain, str) or len(chain) > 128 or not set(chain) <= set("0123456789abcdef"):
        raise ValueError("chain_hash is not hexadecimal")
    return PeerReport(
        _plain(verdict),
        _frame(body.get("last_frame"), "last_frame", least=-1),
        chain,
        _plain(str(body.get("reason", ""))),
        tuple(_cut(row, players) for row in _rows(body, "seats")),
        tuple(_desync(row, players) for row in _rows(body, "desyncs")),
    )


def last_cuts(reports: Mapping[int, PeerReport]) -> dict[int, ReportedCut]:
    """Return the last cut of each seat that changed hands, as reported by the peer with the most frames."""
    return {cut.player: cut for cut in _fullest_cuts(reports)}


def cuts_column(reports: Mapping[int, PeerReport]) -> dict[str, list[dict[str, Any]]]:
    """Return a game's column `cuts`: player → `[{last_frame, fate}]`, in order; empty if nobody left."""
    column: dict[str, list[dict[str, Any]]] = {}
    for cut in _fullest_cuts(reports):
        row = {"last_frame": cut.last_frame, "fate": cut.fate}
        column.setdefault(str(cut.player), []).append(row)
    return column


def desyncs_column(reports: Mapping[int, PeerReport]) -> list[dict[str, Any]]:
    """Return a game's column `desyncs`: `[{reported_by, frame, peer, paths, resynced_at}]`, by frame."""
    rows = [
        {"reported_by": peer, **asdict(desync), "paths": list(desync.paths)}
        for peer, report in sorted(reports.items())
        for desync in report.desyncs
    ]
    return sorted(rows, key=lambda row: row["frame"])


def _fullest_cuts(reports: Mapping[int, PeerReport]) -> tuple[ReportedCut, ...]:
    # A peer that left early knows less. Among those that saw the same end, the lowest player is taken, so
    # that the result does not depend on the order of arrival.
    best = max(
        reports, key=lambda peer: (reports[peer].last_frame, len(reports[peer].cuts), -peer), default=None
    )
    return () if best is None else reports[best].cuts


def _rows(body: Mapping[str, Any], name: str) -> list[Any]:
    rows = body.get(name)
    if rows is None:
        return []
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise ValueError(f"{name} is not a list of at most {MAX_ROWS}")
    return rows


def _cut(row: Any, players: int) -> ReportedCut:
    if not isinstance(row, list) or len(row) != 3:
        raise ValueError("a row of seats is not [player, last_frame, fate]")
    player, frame, fate = row
    if fate not in get_args(Fate):
        raise ValueError(f"a seat's fate is not one of {', '.join(get_args(Fate))}")
    return ReportedCut(_seat(player, players), _frame(frame, "a seat's last frame", least=-1), fate)


def _desync(row: Any, players: int) -> ReportedDesync:
    if not isinstance(row, dict):
        raise ValueError("a row of desyncs is not an object")
    paths, resynced = row.get("paths", []), row.get("resynced_at")
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ValueError("paths is not a list of texts")
    return ReportedDesync(
        _frame(row.get("frame"), "a desync's frame"),
        _seat(row.get("peer"), players),
        tuple(_plain(path) for path in paths[:MAX_PATHS]),
        None if resynced is None else _frame(resynced, "resynced_at"),
    )


def _seat(value: Any, players: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < players:
        raise ValueError("a seat is not a player of this game")
    return value


def _frame(value: Any, name: str, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _MOST_FRAMES:
        raise ValueError(f"{name} is not a frame")
    return value


def _plain(text: str) -> str:
    # PostgreSQL refuses NUL and half surrogate pairs; and a reason must stay one line in tables and logs.
    text = text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
    return "".join(sign if sign.isprintable() else " " for sign in text)
