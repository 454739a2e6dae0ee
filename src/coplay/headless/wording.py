"""A check in plain words."""

from collections.abc import Mapping
from typing import Any

from coplay.headless.check import CPYTHON, WASM, Check


def worded(found: Check) -> str:
    """Say what a check found, in a few lines."""
    lines = [f"coplay: {found.environment} is {'' if found.safe else 'not '}safe for peer-to-peer play"]
    lines += [f"  {reason}" for reason in found.reasons]
    lines.append(_figures(CPYTHON, found.cpython))
    if "error" in found.wasm:
        lines.append(f"  {WASM:<12} not tried to the end: {found.wasm['error'].rstrip('.')}")
        if found.wasm["hint"]:
            lines.append(f"  {'hint:':<12} {found.wasm['hint']}")
    else:
        lines.append(_figures(WASM, found.wasm))
    if found.safe:
        lines += [*_agreement(found), _advice(found)]
    return "\n".join(lines)


def _agreement(found: Check) -> list[str]:
    if found.agree is None:
        return []
    if found.agree:
        return [f"  {CPYTHON} and {WASM} agree in every state."]
    return [
        f"  {CPYTHON} and {WASM} differ from frame {found.disagree_at} on. Participants all play in {WASM}, "
        "so this does no harm; replays are made there, too."
    ]


def _figures(where: str, report: Mapping[str, Any]) -> str:
    return (
        f"  {where:<12} frames: {report['frames']}, played again: {report['resimulated']}; a step takes "
        f"{report['step_us']:.0f} µs, a snapshot {report['snapshot_us']:.0f} µs, "
        f"a checksum {report['checksum_us']:.0f} µs"
    )


def _advice(found: Check) -> str:
    advice = found.advice
    if not advice.fps:
        return "  It is too slow to be played with rollback, at any frame rate."
    delays = ", ".join(f"{frames} at {rtt} ms" for rtt, frames in advice.delays.items())
    more = " and more" if advice.max_fps == 60 else ""
    return (
        f"  Up to {advice.max_fps} frames a second{more} are affordable. At {advice.fps:g}, the input delay "
        f"in frames is {delays} of round trip."
    )
