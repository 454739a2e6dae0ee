"""The text that `coplay check` prints."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from coplay.check.check import CheckResult
from coplay.check.findings import CPYTHON, WASM, Finding, list_paths

_WIDTH: Final = 100
_SIGNS: Final = {"leak": "LEAK", "caution": "note", "tamed": "fine"}


def format_check(found: CheckResult) -> str:
    """Return a check's result as text for a terminal."""
    lines = [_verdict(found), ""]
    for finding in found.findings:
        lines += _finding(finding)
    if found.findings:
        lines.append("")
    lines += [*_tried(found), *_agreement(found), "", *_costs(found), *_game(found), "", *_next(found)]
    return "\n".join(lines)


def _verdict(found: CheckResult) -> str:
    what = {
        "safe": "is safe for peer-to-peer play",
        "unsafe": "is not safe for peer-to-peer play",
        "unknown": "may be safe for peer-to-peer play, but was not tried in the browsers' Python",
    }[found.verdict]
    return f"coplay: {found.environment} {what}"


def _finding(finding: Finding) -> Iterator[str]:
    says = finding.says
    if finding.weight == "tamed" and finding.paths:
        says += f" ({list_paths(finding.paths)})"
    if finding.weight != "tamed" and len(finding.pythons) == 1:
        says = f"In {finding.pythons[0]}: {says}"
    yield from _wrapped(f"  {_SIGNS[finding.weight]}  ", says)
    if finding.do and finding.weight != "tamed":
        yield from _wrapped("        → ", finding.do)


def _tried(found: CheckResult) -> Iterator[str]:
    here = found.cpython
    yield from _wrapped("  ", _played(here, f"{CPYTHON} {here['python']}"))
    if "error" in found.wasm:
        yield from _wrapped("  ", f"Not completed in {WASM}: {found.wasm['error'].rstrip('.')}.")
        if found.verdict == "unknown" and found.wasm["hint"]:
            yield from _wrapped("    hint: ", found.wasm["hint"])
    else:
        yield from _wrapped("  ", _played(found.wasm, f"{WASM} (Python {found.wasm['python']})"))


def _played(report: Mapping[str, Any], where: str) -> str:
    distances = {int(distance): frames for distance, frames in report["distances"].items()}
    fewest = min(distances.values(), default=0)
    every = f"at every one of {report['frames']} frames"
    if report["first_difference"] is not None:
        every = f"at every frame until frame {report['first_difference']}, which differed"
    elif fewest < report["frames"]:
        every += f" (time was short: {_shortened(distances, report['frames'])})"
    return (
        f"{where}: random actions in {report['episodes']} episodes, rolled back by 1 to "
        f"{max(distances, default=0)} frames {every}: {report['resimulated']} played again."
    )


def _shortened(distances: Mapping[int, int], frames: int) -> str:
    fewer = {distance: count for distance, count in distances.items() if count < frames}
    return ", ".join(f"by {distance} at {count}" for distance, count in fewer.items())


def _agreement(found: CheckResult) -> Iterator[str]:
    if found.agree:
        yield f"  {CPYTHON} and {WASM} compute the same, to the last bit of every state."
    elif found.agree is False:
        what = list_paths(found.disagreeing, 2) or "no attribute that can be seen"
        harmless = (
            f" That is harmless: all participants play in {WASM}, and replays run there too."
            if found.safe
            else ""
        )
        yield from _wrapped(
            "  ", f"{CPYTHON} and {WASM} differ from frame {found.disagree_at} on: {what}.{harmless}"
        )


_COLUMNS: Final = {
    "step_us": "step",
    "snapshot_us": "snapshot",
    "restore_us": "load",
    "checksum_us": "checksum",
    "deepcopy_us": "copy.deepcopy",
}


def _costs(found: CheckResult) -> Iterator[str]:
    yield f"  {'microseconds':<13}" + "".join(f"{title:>{len(title) + 3}}" for title in _COLUMNS.values())
    for where, report in ((CPYTHON, found.cpython), (WASM, found.wasm)):
        if "error" not in report:
            cells = (
                f"{'—' if report[name] is None else format(report[name], '.0f'):>{len(title) + 3}}"
                for name, title in _COLUMNS.items()
            )
            yield f"  {where:<13}" + "".join(cells)


def _game(found: CheckResult) -> Iterator[str]:
    advice = found.advice
    if not advice.fps:
        yield "  It is too slow for rollback at any frame rate."
        return
    delays = ", ".join(f"{frames} at {rtt} ms" for rtt, frames in advice.delays.items())
    more = " or more" if advice.max_fps == 60 else ""
    yield from _wrapped(
        "  ",
        f"A machine like this one affords {advice.max_fps}{more} frames per second. At {advice.fps:g}, the "
        f"input delay in frames is {delays} of round trip.",
    )


def _next(found: CheckResult) -> Iterator[str]:
    if found.verdict == "unsafe":
        yield "  next: fix what is marked LEAK, and check again"
        return
    if found.verdict == "unknown":
        yield "  next: see the hint, and check again"
        return
    packages = f"packages={found.packages}" if found.packages else "no packages"
    draws = found.wasm["draws"]
    drawn = "draw=None" if draws["picture"] else "a draw function, because it cannot draw itself in browsers"
    fps = f"{found.advice.fps:g}" if found.advice.fps else "…"
    yield from _wrapped(
        "  next: ",
        f'scenes.Play("{found.environment}", fps={fps}, keys=…) with {drawn}, in a study with {packages}',
    )


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
        break_long_words=False,
    )
