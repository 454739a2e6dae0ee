"""The diagnosis: what the report of one Python means, and what to do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from coplay.check.findings import NOWHERE, Finding, list_paths, memory_finding, suspects_sentence

TRANSFER_LIMIT: Final = 16 << 20
"""The largest state in bytes that can be sent to a peer that comes back."""


def diagnose(python: str, report: Mapping[str, Any]) -> list[Finding]:
    """Return the findings that follow from one Python's report.

    Args:
        python: Name of the Python, `CPYTHON` or `WASM`.
        report: The report of `examination.answer`.
    """
    found = [
        *_rollbacks(report),
        *_memories(report),
        *_reaches(report),
        *_numbers(report),
        *_outside(report),
        *_drawing(report),
    ]
    return [Finding(**{**asdict(finding), "pythons": [python]}) for finding in found]


def _rollbacks(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["unwalkable"]:
        yield Finding(
            "unsaveable",
            "leak",
            f"Parts of the state cannot be saved or rolled back: {list_paths(report['unwalkable'])}.",
            "Keep plain values: an index instead of an iterator, the contents instead of an open file.",
            report["unwalkable"],
        )
    if report["first_difference"] is not None:
        suspects = report["unsaved"] + report["unwalkable"]
        reason = suspects_sentence(suspects)
        if report["by_address"]:
            reason += f" Ordered by memory address: {list_paths(report['by_address'])}."
        yield Finding(
            "rollback",
            "leak",
            f"Rolled back by {report['distance']} and played again with the same inputs, the state before "
            f"frame {report['first_difference']} came out differently: "
            f"{list_paths(report['differing']) or NOWHERE}.{reason}",
            "Find what feeds it: a counter, a cache, a thread or a generator that is not an attribute of the "
            "environment, or the id() of an object. Make it an attribute, and reset it in reset().",
            report["differing"],
            frame=report["first_difference"],
        )
    elif report["unsaved"]:
        yield Finding(
            "unsaved",
            "caution",
            f"This changes during play and is in no snapshot: {list_paths(report['unsaved'])}. "
            "No state depended on it here.",
            "That is fine for a cache. Anything else belongs in the environment's attributes.",
            report["unsaved"],
        )


def _memories(report: Mapping[str, Any]) -> Iterator[Finding]:
    if remembered := report.get("remembered"):
        yield memory_finding(remembered["frame"], remembered["differing"], report["unsaved"])


_TAMED: Final = {
    "clock": "It reads the clock. In a game the clock is a function of the frame.",
    "random": "It draws from Python's global random. In a game that is a function of seed and frame.",
    "numpy.random": "It draws from numpy's global random. In a game that is a function of seed and frame.",
    "unseeded": "It makes random numbers without a seed (default_rng(), uuid4(), os.urandom …). In a game "
    "they are a function of seed and frame.",
}
_REACHED: Final = {
    "thread": (
        "It starts a thread. What a thread does is not rolled back and not in step with other peers, and the "
        "browsers' Python has no threads.",
        "Do the work in step().",
    ),
    "process": ("It starts another program, which a browser cannot do.", "Compute in Python, in step()."),
    "network": (
        "It opens a network connection, whose data other peers do not have and a browser does not allow.",
        "Put the data in the study's folder.",
    ),
}


def _reaches(report: Mapping[str, Any]) -> Iterator[Finding]:
    places: dict[str, list[str]] = {}
    for sighting in report["sightings"]:
        places.setdefault(sighting["what"], []).append(sighting["where"] or "a library")
    for what, where in places.items():
        if what in _TAMED:
            yield Finding(what, "tamed", _TAMED[what], "", where)
        elif what in _REACHED:
            yield Finding(what, "leak", *_REACHED[what], where)
        else:
            yield Finding(
                what,
                "caution",
                f"It writes a file during play: {list_paths(where)}. That is not rolled back, and is "
                "lost in a browser.",
                "Switch the environment's own log off: coplay records every game.",
                where,
            )


def _numbers(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["signed_nan"]:
        yield Finding(
            "nan",
            "leak",
            f"A computation resulted in NaN: {list_paths(report['signed_nan'])}. Processors encode "
            "it differently, so peers on different machines would not agree.",
            "Look for 0/0, inf-inf or the square root of a negative number.",
            report["signed_nan"],
        )
    elif report["nan"]:
        yield Finding(
            "nan",
            "caution",
            f"The state holds NaN: {list_paths(report['nan'])}. Harmless as a constant; computed ones differ "
            "between processors.",
            "Use None or 0 for missing values.",
            report["nan"],
        )
    if report["odd_reward"] is not None:
        yield Finding(
            "reward",
            "caution",
            f"The reward of frame {report['odd_reward']} is not a finite number.",
            "It is stored as it is.",
            frame=report["odd_reward"],
        )
    yield from _transfer(report.get("transfer"), report["state_bytes"])
    if report.get("seed_matters") is False:
        yield Finding(
            "seed",
            "caution",
            "Another seed gave the same game: the environment ignores its seed, or nothing in it is random.",
            "If episodes should differ, draw from self.np_random after super().reset(seed=seed).",
        )


def _transfer(transfer: Mapping[str, Any] | None, size: int) -> Iterator[Finding]:
    back = "to a peer that comes back after a reload"
    if size > TRANSFER_LIMIT:
        yield Finding(
            "size",
            "caution",
            f"The state has {size / 1e6:.0f} MB: too much to send {back}.",
            "Keep constant data in tuples or module constants, or compute it from the seed.",
        )
    elif transfer and transfer["error"]:
        yield Finding(
            "transfer",
            "caution",
            f"The state cannot be sent {back}: {transfer['error']}.",
            "A participant who reloads the page leaves the game. Plain values can be sent.",
        )
    elif transfer and transfer["frame"] is not None:
        yield Finding(
            "transfer",
            "caution",
            f"After the state is sent {back}, the games diverge: frame {transfer['frame']} differs: "
            f"{list_paths(transfer['differing']) or NOWHERE}.",
            "A participant who reloads the page leaves the game.",
            transfer["differing"],
            frame=transfer["frame"],
        )


def _outside(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["outside"]:
        yield Finding(
            "outside",
            "tamed",
            "It keeps state in modules or classes. A game saves it and rolls it back with the rest.",
            "",
            report["outside"],
        )
    if report["by_address"]:
        yield Finding(
            "addresses",
            "caution",
            f"Sets of objects that hash by memory address: {list_paths(report['by_address'])}. Iterating "
            "over one gives another order on every machine.",
            "Iterate over a list, or over sorted(…, key=…), or give the objects a __hash__ of their own.",
            report["by_address"],
        )


def _drawing(report: Mapping[str, Any]) -> Iterator[Finding]:
    draws = report["draws"]
    if draws["frame"] is not None:
        yield Finding(
            "drawing",
            "leak",
            f"Drawing changes the state: after render(), the state before frame {draws['frame']} came out "
            f"differently: {list_paths(draws['differing']) or NOWHERE}.",
            "Let render() only read the state, or give the scene a draw function.",
            draws["differing"],
            frame=draws["frame"],
        )
