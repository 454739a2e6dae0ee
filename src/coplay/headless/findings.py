"""From what two Pythons found in an environment to what it means, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

CPYTHON, WASM = "CPython", "WebAssembly"
Weight = Literal["leak", "caution", "tamed"]
NOWHERE: Final = "in no attribute that is in sight"
NO_THREADS: Final = "The browsers' Python has no threads. Do the work in step()."
TRANSFER_LIMIT: Final = 16 << 20
"""Bytes of state: a larger one cannot be sent to a peer that comes back."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know."""

    kind: str
    """What it is about: `rollback`, `unsaveable`, `memory`, `thread`, `clock` …"""
    weight: Weight
    """A `leak` makes the environment unsafe; a `caution` may; what is `tamed` is harmless here."""
    says: str
    """One or two sentences."""
    do: str = ""
    """What to do about it."""
    paths: list[str] = field(default_factory=list)
    """Attributes or lines of code that it is about."""
    pythons: list[str] = field(default_factory=list)
    """Where it was found."""
    frame: int | None = None
    """The first frame that shows it."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program."""
        return asdict(self)


def shown(paths: Sequence[str], most: int = 4) -> str:
    """Name some paths, and say how many more there are."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more


def findings_of(python: str, report: Mapping[str, Any]) -> list[Finding]:
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


def _because(suspects: Sequence[str]) -> str:
    return f" What changes without being saved: {shown(suspects)}." if suspects else ""


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Join what several Pythons found alike, leaks first."""
    joined: dict[tuple[str, tuple[str, ...]], Finding] = {}
    for finding in findings:
        key = finding.kind, tuple(finding.paths)
        before = joined.get(key)
        if before is not None:
            pythons = list(dict.fromkeys(before.pythons + finding.pythons))
            finding = Finding(**{**asdict(before), "pythons": pythons})
        joined[key] = finding
    if any(finding.kind == "memory" for finding in findings):  # which names what is not saved
        joined = {key: finding for key, finding in joined.items() if finding.kind != "unsaved"}
    order = {"leak": 0, "caution": 1, "tamed": 2}
    return sorted(joined.values(), key=lambda finding: order[finding.weight])


def remembers(frame: int, paths: list[str], unsaved: Sequence[str]) -> Finding:
    """It plays differently after another game."""
    return Finding(
        "memory",
        "leak",
        f"After another game in the same process, the state before frame {frame} came out differently: "
        f"{shown(paths) or NOWHERE}. Peers that have played different games before would drift apart."
        f"{_because(unsaved)}",
        "Let reset() begin everything anew, and keep nothing in modules, caches, defaults or other classes.",
        paths,
        [CPYTHON],
        frame,
    )


def depends_on_addresses(frame: int, paths: list[str]) -> Finding:
    """Two processes differ, though the same was played."""
    return Finding(
        "addresses",
        "leak",
        f"Two processes differ in the state before frame {frame}: {shown(paths) or NOWHERE}. Something "
        "depends on where objects lie in memory (id(), the hash of an object, the order of a set of objects) "
        "or on the system.",
        "Number the objects yourself, and loop over a list or over sorted(…, key=…).",
        paths,
        [CPYTHON],
        frame,
    )


def depends_on_hashes(frame: int, paths: list[str]) -> Finding:
    """Two processes differ in which strings hash differently."""
    return Finding(
        "hashes",
        "tamed",
        "It depends on how strings hash, perhaps by the order of a set of strings. All browsers hash alike; "
        "elsewhere, in training say, set PYTHONHASHSEED=0 for the same.",
        "",
        paths,
        [CPYTHON],
        frame,
    )


def does_not_run(wasm: Mapping[str, Any]) -> Finding:
    """It ends with an error in WebAssembly."""
    says = str(wasm["error"]).rstrip(".")
    return Finding(
        "browser",
        "leak",
        f"It does not run in the browsers' Python: {says}.",
        NO_THREADS if "can't start new thread" in says else str(wasm["hint"]),
        pythons=[WASM],
    )


def _rollbacks(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["unwalkable"]:
        yield Finding(
            "unsaveable",
            "leak",
            f"Parts of the state cannot be saved, so not be rolled back: {shown(report['unwalkable'])}.",
            "Keep plain values: an index instead of an iterator, the contents instead of an open file.",
            report["unwalkable"],
        )
    if report["first_difference"] is not None:
        suspects = report["unsaved"] + report["unwalkable"]
        because = _because(suspects)
        if report["by_address"]:
            because += f" What is ordered by where objects lie in memory: {shown(report['by_address'])}."
        yield Finding(
            "rollback",
            "leak",
            f"Rolled back by {report['distance']} and played again with the same inputs, the state before "
            f"frame {report['first_difference']} came out differently: "
            f"{shown(report['differing']) or NOWHERE}.{because}",
            "Find what feeds it: a counter, a cache, a thread or a generator that is not an attribute of the "
            "environment, or the id() of an object. Make it an attribute, and begin it anew in reset().",
            report["differing"],
            frame=report["first_difference"],
        )
    elif report["unsaved"]:
        yield Finding(
            "unsaved",
            "caution",
            f"This changes while it is played and is in no snapshot: {shown(report['unsaved'])}. "
            "No state depended on it here.",
            "A cache may do that. Anything else belongs into the environment's attributes.",
            report["unsaved"],
        )


def _memories(report: Mapping[str, Any]) -> Iterator[Finding]:
    if remembered := report.get("remembered"):
        yield remembers(remembered["frame"], remembered["differing"], report["unsaved"])


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
                f"It writes a file while it is played: {shown(where)}. That is not rolled back, and is lost "
                "in a browser.",
                "coplay records every game itself; switch the environment's own log off.",
                where,
            )


def _numbers(report: Mapping[str, Any]) -> Iterator[Finding]:
    if report["signed_nan"]:
        yield Finding(
            "nan",
            "leak",
            f"A computation gave no number (NaN): {shown(report['signed_nan'])}. Processors write it down "
            "differently, so peers on different machines would not agree.",
            "Look for 0/0, inf-inf or the root of a negative number.",
            report["signed_nan"],
        )
    elif report["nan"]:
        yield Finding(
            "nan",
            "caution",
            f"The state holds NaN: {shown(report['nan'])}. Harmless as a constant; computed ones differ "
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
    if report["state_bytes"] > TRANSFER_LIMIT:
        yield Finding(
            "size",
            "caution",
            f"The state has {report['state_bytes'] / 1e6:.0f} MB: too much to be sent to a peer that comes "
            "back after a reload.",
            "Keep what never changes in tuples, in module constants, or compute it from the seed.",
        )
    if report.get("seed_matters") is False:
        yield Finding(
            "seed",
            "caution",
            "Another seed gave the very same game: it ignores its seed, or nothing in it is random.",
            "If episodes should differ, draw from self.np_random after super().reset(seed=seed).",
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
            f"Sets of objects that hash by where they lie in memory: {shown(report['by_address'])}. Whoever "
            "loops over one gets another order on every machine.",
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
            f"differently: {shown(draws['differing']) or NOWHERE}.",
            "Let render() read the state only, or give the scene a draw function.",
            draws["differing"],
            frame=draws["frame"],
        )
