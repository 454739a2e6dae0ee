"""What may be said about a game, from what all its peers reported.

| Verdict | When |
|---|---|
| `divergent at F` | peers uploaded different inputs or checksums, or a peer reported a difference |
| `truncated at F` | a peer left and the game ended with that, or the peers could not agree beyond frame F |
| | all left without a word, and F is the last frame that each of them uploaded |
| `unverified` | a peer that did not leave never reported, or the game never began |
| `identical` | all peers, or all that remained of them, reported the same chain over the same frames |
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from coplay.data.games.reports import PeerReport, ReportedDesync, last_cuts

VerdictName: TypeAlias = Literal["identical", "truncated", "divergent", "unverified"]

_PLAYED_ON = {"bot": "a bot played on", "default": "the default action was played on"}
_SAME = "All players' browsers reported the same inputs and states."
_ALONE = "One browser played alone: there was none to compare it with."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds of a game.

    Attributes:
        name: One of four words.
        frame: Of `truncated` and `divergent`, the frame; None where it is unknown or has no meaning.
        reason: A sentence.
        chain_hash: Of the agreed chain; empty if there is none.
        last_frame: The last frame that the reports of all that remained cover; -1 for none.
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
    """Say what holds of a game.

    Args:
        peers: Everyone who should report.
        reports: Who did.
        left: Who left before the end, as the server saw it: what the others say of them is no proof.
        first_difference: The first frame for which uploaded inputs differ; None if all agree.
        checksum_difference: The first frame for which uploaded checksums differ; None if all agree.
        frames: How many frames were uploaded; None if that is not known.
        shared_frames: How many frames there are, from the first on, up to the last that each peer uploaded.
    """
    cuts = last_cuts(reports)
    replaced = {player: cuts[player] for player in left if player in cuts and cuts[player].fate in _PLAYED_ON}
    given = {peer: report for peer, report in reports.items() if peer not in replaced}
    last = min((report.last_frame for report in given.values()), default=-1)
    chains = {(report.last_frame, report.chain_hash) for report in given.values()}
    chain = next(iter(chains))[1] if len(chains) == 1 else ""

    difference = _difference(reports, first_difference, checksum_difference)
    if difference is not None:
        return Verdict("divergent", *difference, "", last)
    if len({report.last_frame for report in given.values()}) == 1 and len(chains) > 1:
        reason = "The players' browsers reported different inputs or states over the same frames."
        return Verdict("divergent", None, reason, "", last)
    if any(report.verdict == "mismatch" for report in given.values()):
        return Verdict("unverified", None, _reason(given, "mismatch"), "", last)
    if not reports and shared_frames and len(peers) > 1 and set(peers) <= set(left):
        reason = (
            "All players left before the end: up to this frame each of them had uploaded the same inputs."
        )
        return Verdict("truncated", shared_frames - 1, reason, "", shared_frames - 1)
    missing = sorted(set(peers) - set(reports) - set(left))
    if missing or not given:
        reason = f"No report of the end came from {_listed(missing or peers)}."
        if not reports and frames == 0:
            reason = f"Nothing was played. {reason}"
        return Verdict("unverified", None, reason, chain, last)
    if any(report.verdict.startswith("truncated") for report in given.values()):
        return Verdict("truncated", last, _reason(given, "truncated"), chain, last)
    if len(chains) > 1:
        reason = "The players' browsers reported different ends: up to this frame all have it."
        return Verdict("truncated", last, reason, "", last)
    if ended_it := set(left) - set(reports) - set(replaced):
        reason = f"{_capital(_listed(ended_it))} left and did not report the end."
        return Verdict("truncated", last, reason, chain, last)
    if replaced:
        who = "; ".join(
            f"player {player} left after frame {cut.last_frame}, and {_PLAYED_ON[cut.fate]}"
            for player, cut in sorted(replaced.items())
        )
        same = "all who stayed reported the same"
        return Verdict("identical", None, f"{_capital(who)}; {same}.", chain, last)
    return Verdict("identical", None, _SAME if len(peers) > 1 else _ALONE, chain, last)


def _difference(
    reports: Mapping[int, PeerReport], inputs: int | None, checksums: int | None
) -> tuple[int, str] | None:
    """The first frame at which something differed, and what."""
    desyncs = sorted(
        (desync for report in reports.values() for desync in report.desyncs), key=lambda desync: desync.frame
    )
    found = [] if inputs is None else [(inputs, "The players' browsers uploaded different inputs.")]
    states = [frame for frame in (checksums, *(desync.frame for desync in desyncs[:1])) if frame is not None]
    if states:
        found.append((min(states), _states_differed(desyncs)))
    if not found:
        # A peer that says so without saying where: then it was at, or just before, its last frame.
        found = [
            (report.last_frame, _sentence(report.reason) or "A browser found that states differed.")
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
    """What a browser said, as a sentence; a peer is named by its seat."""
    text = _capital(text.strip()).replace("Peer ", "Player ")
    return f"{text}." if text and text[-1] not in ".!?" else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(players: Collection[int]) -> str:
    names = [str(player) for player in sorted(players)]
    return f"player {names[0]}" if len(names) == 1 else f"players {', '.join(names[:-1])} and {names[-1]}"
