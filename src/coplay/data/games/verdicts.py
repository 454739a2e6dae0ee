"""The verdict of a game: whether its peers' records agree, and up to which frame.

| Verdict | When |
|---|---|
| `divergent at F` | peers uploaded different inputs or checksums, or a peer reported a difference |
| `truncated at F` | a peer left and that ended the game, or the peers could not agree beyond frame F |
| | all peers left without a report, and F is the last frame that each of them uploaded |
| `unverified` | a peer that did not leave never reported, or the game never began |
| `identical` | all peers, or all that remained, reported the same chain over the same frames |
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from coplay.data.games.reports import PeerReport, ReportedCut, ReportedDesync, last_cuts

VerdictName: TypeAlias = Literal["identical", "truncated", "divergent", "unverified"]

_PLAYED_ON = {"bot": "a bot played on", "default": "its seat played the default action"}
_SAME = "All players' browsers reported the same inputs and states."
_ALONE = "One browser played alone: there was no other to compare it with."
_DIFFERENT_CHAINS = "The players' browsers reported different inputs or states over the same frames."
_ALL_LEFT = "All players left before the end: up to this frame each of them had uploaded the same inputs."


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict, with its reason.

    Attributes:
        name: The verdict in one word.
        frame: The frame of `truncated` and `divergent`; None if it is unknown, and for other verdicts.
        reason: The reason in a sentence.
        chain_hash: The hash of the agreed chain; empty if there is none.
        last_frame: The last frame that the reports of all remaining peers cover; -1 if there is none.
    """

    name: VerdictName
    frame: int | None
    reason: str
    chain_hash: str
    last_frame: int


def judge(
    peers: Collection[int],
    reports: Mapping[int, PeerReport],
    *,
    left: Collection[int] = (),
    first_difference: int | None = None,
    checksum_difference: int | None = None,
    frames: int | None = None,
    shared_frames: int = 0,
) -> Verdict:
    """Return the verdict of a game that has ended.

    Args:
        peers: All peers that should report.
        reports: The reports that arrived, by peer.
        left: The peers that left before the end, as the server saw it. What peers claim about each other does
            not count.
        first_difference: The first frame for which uploaded inputs differ; None if all agree.
        checksum_difference: The first frame for which uploaded checksums differ; None if all agree.
        frames: The number of frames that were uploaded; None if unknown.
        shared_frames: The number of frames from the first on, up to the last one that each peer uploaded.
    """
    cuts = last_cuts(reports)
    replaced = {player: cuts[player] for player in left if player in cuts and cuts[player].fate in _PLAYED_ON}
    # A game that went on without a peer is judged without that peer's report, which ends earlier.
    given = {peer: report for peer, report in reports.items() if peer not in replaced}
    last = min((report.last_frame for report in given.values()), default=-1)
    chains = {(report.last_frame, report.chain_hash) for report in given.values()}
    chain = next(iter(chains))[1] if len(chains) == 1 else ""

    # Checked first: a difference makes a game divergent, even if all reports agree at the end.
    difference = _difference(reports, first_difference, checksum_difference)
    if difference is not None:
        return Verdict("divergent", *difference, "", last)
    # Only chains over the same frames can be compared; otherwise one peer ended earlier (see `_truncation`).
    if len({report.last_frame for report in given.values()}) == 1 and len(chains) > 1:
        return Verdict("divergent", None, _DIFFERENT_CHAINS, "", last)
    if any(report.verdict == "mismatch" for report in given.values()):
        return Verdict("unverified", None, _reason(given, "mismatch"), "", last)
    if not reports and shared_frames and len(peers) > 1 and set(peers) <= set(left):
        return Verdict("truncated", shared_frames - 1, _ALL_LEFT, "", shared_frames - 1)
    missing = set(peers) - set(reports) - set(left)
    if missing or not given:
        reason = f"No report of the end came from {_listed(missing or peers)}."
        if not reports and frames == 0:
            reason = f"Nothing was played. {reason}"
        return Verdict("unverified", None, reason, chain, last)
    truncation = _truncation(given, set(left) - set(reports) - set(replaced))
    if truncation is not None:
        return Verdict("truncated", last, truncation, chain, last)
    return Verdict("identical", None, _agreement(len(peers), replaced), chain, last)


def _truncation(given: Mapping[int, PeerReport], silent: Collection[int]) -> str | None:
    """Return why a game ended early, or None if it did not.

    Args:
        given: The reports of all peers that nobody replaced.
        silent: The peers that left, did not report, and were not replaced either.
    """
    if any(report.verdict.startswith("truncated") for report in given.values()):
        return _reason(given, "truncated")
    if len({(report.last_frame, report.chain_hash) for report in given.values()}) > 1:
        return (
            "The players' browsers reported different last frames; all of them have the game up to this one."
        )
    if silent:
        return f"{_capital(_listed(silent))} left and did not report the end."
    return None


def _agreement(peers: int, replaced: Mapping[int, ReportedCut]) -> str:
    """Return in a sentence who agreed on an identical game."""
    if not replaced:
        return _SAME if peers > 1 else _ALONE
    seats = "; ".join(
        f"player {player} left after frame {cut.last_frame}, and {_PLAYED_ON[cut.fate]}"
        for player, cut in sorted(replaced.items())
    )
    return f"{_capital(seats)}; all players who stayed reported the same."


def _difference(
    reports: Mapping[int, PeerReport], inputs: int | None, checksums: int | None
) -> tuple[int, str] | None:
    """Return the first frame at which something differed, and a sentence that says what."""
    desyncs = sorted(
        (desync for report in reports.values() for desync in report.desyncs), key=lambda desync: desync.frame
    )
    found = [] if inputs is None else [(inputs, "The players' browsers uploaded different inputs.")]
    states = [frame for frame in (checksums, *(desync.frame for desync in desyncs[:1])) if frame is not None]
    if states:
        found.append((min(states), _states_differed(desyncs)))
    if not found:
        # A peer that reports a difference without a frame stopped at it, or just after it.
        found = [
            (
                report.last_frame,
                _sentence(report.reason) or "A browser found that the players' states differed.",
            )
            for report in reports.values()
            if report.verdict.startswith("divergent")
        ]
    return min(found, key=lambda pair: pair[0], default=None)


def _states_differed(desyncs: list[ReportedDesync]) -> str:
    path = next((desync.paths[0] for desync in desyncs if desync.paths), "")
    resynced = max((desync.resynced_at for desync in desyncs if desync.resynced_at is not None), default=None)
    what = "The players' states differed" + (f", first in {path}" if path else "")
    return f"{what}." if resynced is None else f"{what}; they were made equal again at frame {resynced}."


def _reason(reports: Mapping[int, PeerReport], verdict: str) -> str:
    reasons = (report.reason for report in reports.values() if report.verdict.startswith(verdict))
    return _sentence(next(reasons, "") or verdict)


def _sentence(text: str) -> str:
    """Return a browser's own words as a sentence that calls peers players."""
    text = _capital(text.strip()).replace("Peer ", "Player ")
    return f"{text}." if text and text[-1] not in ".!?" else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(players: Collection[int]) -> str:
    names = [str(player) for player in sorted(players)]
    return f"player {names[0]}" if len(names) == 1 else f"players {', '.join(names[:-1])} and {names[-1]}"
