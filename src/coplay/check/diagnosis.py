"""From what one Python found in an environment to what it means, and what to do."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from coplay.check.findings import NOWHERE, Finding, list_paths, memory_finding, suspects_sentence

TRANSFER_LIMIT: Final = 16 << 20
"""Bytes of state: a larger one cannot be sent to a peer that comes back."""


def diagnose(python: str, report: Mapping[str, Any]) -> list[Finding]:
    """What one Python's report says.

    Args:
        python: Its name.
        report: What `examination` gave at the end.
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
            f"Parts of the state cannot be saved, so not be rolled back: {list_paths(report['unwalkable'])}.",
            "Keep plain values: an index instead of an iterator, the contents instead of an open file.",
            report["unwalkable"],
        )
    if report["first_difference"] is not None:
        suspects = report["unsaved"] + report["unwalkable"]
        reason = suspects_sentence(suspects)
        if report["by_address"]:
            reason += f" What is ordered by where objects lie in memory: {list_paths(report['by_address'])}."
        yield Finding(
            "rollback",
            "leak",
            f"Rolled back by {report['distance']} and played again with the same inputs, the state before "
            f"frame {report['first_difference']} came out differently: "
            f"{list_paths(report['differing']) or NOWHERE}.{reason}",
            "Find what feeds it: a counter, a cache, a thread or a generator that is not an attribute of the "
            "environment, or the id() of an object. Make it an attribute, and begin it anew in reset().",
            report["differing"],
            frame=report["first_difference"],
        )
    elif report["unsaved"]:
        yield Finding(
            "unsaved",
            "caution",
            f"This changes while it is played and is in no snapshot: {list_paths(report['unsaved'])}. "
            "No state depended on it here.",
            "A cache may do that. Anything else belongs into the environment's attributes.",
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
        "It starts a thread. What a thread does is neither rolled back nor in step with the other peers, and "
        "browsers' Python has none.",
        "Do the work in step().",
    ),
    "process": ("It starts another program, which browsers cannot.", "Compute in Python, in step()."),
    "network": (
        "It opens a network connection, which no peer shares and a browser does not allow.",
        "Bring the data along in the study's folder.",
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
                f"It writes a file while it is played: {list_paths(where)}. That is not rolled back, and is "
                "lost in a browser.",
                "coplay records every game itself; switch the environment's own log off.",
                where,
            )


def _numbers(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["signed_nan"]:
        yield Finding(
            "nan",
            "leak",
            f"A computation gave no number (NaN): {list_paths(report['signed_nan'])}. Processors write it "
            "down differently, so peers on different machines would not agree.",
            "Look for 0/0, inf-inf or the root of a negative number.",
            report["signed_nan"],
        )
    elif report["nan"]:
        yield Finding(
            "nan",
            "caution",
            f"The state holds NaN: {list_paths(report['nan'])}. Harmless as a constant; computed ones differ "
            "between processors.",
            "Use None or 0 for what is not there.",
            report["nan"],
        )
    if report["odd_reward"] is not None:
        yield Finding(
            "reward",
            "caution",
            f"The reward of frame {report['odd_reward']} is not a finite number.",
            "The data will hold it as it is.",
            frame=report["odd_reward"],
        )
    yield from _transfer(report.get("transfer"), report["state_bytes"])
    if report.get("seed_matters") is False:
        yield Finding(
            "seed",
            "caution",
            "Another seed gave the very same game: it ignores its seed, or nothing in it is random.",
            "If episodes should differ, draw from self.np_random after super().reset(seed=seed).",
        )


def _transfer(transfer: Mapping[str, Any] | None, size: int) -> Iterator[Finding]:
    back = "to a peer that comes back after a reload"
    if size > TRANSFER_LIMIT:
        yield Finding(
            "size",
            "caution",
            f"The state has {size / 1e6:.0f} MB: too much to be sent {back}.",
            "Keep what never changes in tuples, in module constants, or compute it from the seed.",
        )
    elif transfer and transfer["error"]:
        yield Finding(
            "transfer",
            "caution",
            f"The state cannot be sent {back}: {transfer['error']}.",
            "Whoever reloads the page has left the game. Plain values can be sent.",
        )
    elif transfer and transfer["frame"] is not None:
        yield Finding(
            "transfer",
            "caution",
            f"Sent {back}, the state does not play on as it was: frame {transfer['frame']} differs: "
            f"{list_paths(transfer['differing']) or NOWHERE}.",
            "Whoever reloads the page has left the game.",
            transfer["differing"],
            frame=transfer["frame"],
        )


def _outside(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["outside"]:
        yield Finding(
            "outside",
            "tamed",
            "It keeps state in modules or classes. A game saves and rolls it back with the rest.",
            "",
            report["outside"],
        )
    if report["by_address"]:
        yield Finding(
            "addresses",
            "caution",
            f"Sets of objects that hash by where they lie in memory: {list_paths(report['by_address'])}. "
            "Whoever loops over one gets another order on every machine.",
            "Loop over a list, or over sorted(…, key=…), or give the objects a __hash__ of their own.",
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
            "Let render() read the state only, or give the scene a draw function.",
            draws["differing"],
            frame=draws["frame"],
        )
