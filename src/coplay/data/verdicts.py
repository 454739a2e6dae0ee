"""What may be said about a game, from what all its peers reported.

| Verdict | When |
|---|---|
| `divergent at F` | a peer reported it, or two peers uploaded different inputs for a frame |
| `truncated at F` | a peer left, or the peers could not agree beyond frame F |
| `unverified` | a peer that did not leave never reported, or the game never began |
| `identical` | all peers reported the same chain over the same frames |
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Name: TypeAlias = Literal["identical", "truncated", "divergent", "unverified"]


@dataclass(frozen=True, slots=True)
class Report:
    """How one peer saw the end of a game.

    Attributes:
        verdict: `identical`, `truncated`, `divergent`, `unverified` or `mismatch`: the session's word.
        last_frame: The last frame it confirmed; -1 for none.
        chain_hash: Hexadecimal, over everything it confirmed.
        reason: The session's own words.
    """

    verdict: str
    last_frame: int
    chain_hash: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds of a game.

    Attributes:
        name: One of four words.
        frame: Of `truncated` and `divergent`, the frame; None where it is unknown or has no meaning.
        reason: A sentence.
        chain_hash: Of the agreed chain; empty if there is none.
        last_frame: The last frame that all reports cover; -1 for none.
    """

    name: Name
    frame: int | None
    reason: str
    chain_hash: str
    last_frame: int


def read_report(body: Mapping[str, Any]) -> Report:
    """Check a report that a peer sent.

    Raises:
        ValueError: It is no report.
    """
    verdict, frame = body.get("verdict"), body.get("last_frame")
    chain, reason = body.get("chain_hash"), body.get("reason", "")
    if not isinstance(verdict, str) or len(verdict) > 64:
        raise ValueError("verdict is not a short text")
    if not isinstance(frame, int) or isinstance(frame, bool) or not -1 <= frame < 2**31:
        raise ValueError("last_frame is not a frame")
    if not isinstance(chain, str) or len(chain) > 128 or not set(chain) <= set("0123456789abcdef"):
        raise ValueError("chain_hash is not hexadecimal")
    return Report(verdict, frame, chain, str(reason)[:200])


def judge(
    peers: Collection[int],
    reports: Mapping[int, Report],
    *,
    left: Collection[int] = (),
    first_difference: int | None = None,
) -> Verdict:
    """Say what holds of a game.

    Args:
        peers: Everyone who should report.
        reports: Who did.
        left: Who left before the end.
        first_difference: The first frame for which two peers uploaded different inputs; None if all agree.
    """
    given = list(reports.values())
    last = min((report.last_frame for report in given), default=-1)
    chains = {(report.last_frame, report.chain_hash) for report in given}
    chain = next(iter(chains))[1] if len(chains) == 1 else ""
    divergent = [report.last_frame for report in given if report.verdict.startswith("divergent")]
    if first_difference is not None:
        return Verdict("divergent", first_difference, "peers uploaded different inputs", "", last)
    if divergent:
        return Verdict("divergent", min(divergent), _reason(given, "divergent"), "", last)
    if len({report.last_frame for report in given}) == 1 and len(chains) > 1:
        return Verdict("divergent", None, "peers reported different chains over the same frames", "", last)
    if any(report.verdict == "mismatch" for report in given):
        return Verdict("unverified", None, _reason(given, "mismatch"), "", last)
    missing = sorted(set(peers) - set(reports) - set(left))
    if missing or not given:
        who = ", ".join(map(str, missing or sorted(peers)))
        return Verdict("unverified", None, f"no report from player {who}", chain, last)
    if any(report.verdict.startswith("truncated") for report in given):
        return Verdict("truncated", last, _reason(given, "truncated"), chain, last)
    if len(chains) > 1:
        return Verdict("truncated", last, "peers reported different last frames", "", last)
    if set(left) - set(reports):
        who = ", ".join(map(str, sorted(set(left) - set(reports))))
        return Verdict("truncated", last, f"player {who} left", chain, last)
    return Verdict("identical", None, "all peers reported the same chain", chain, last)


def _reason(reports: list[Report], verdict: str) -> str:
    return next((report.reason for report in reports if report.verdict.startswith(verdict)), "") or verdict
