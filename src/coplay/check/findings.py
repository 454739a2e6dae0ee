"""What is worth knowing of an environment: one thing each, with what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

CPYTHON, WASM = "CPython", "WebAssembly"
Weight = Literal["leak", "caution", "tamed"]
NOWHERE: Final = "in no attribute that is in sight"
NO_THREADS: Final = "The browsers' Python has no threads. Do the work in step()."


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


def list_paths(paths: Sequence[str], most: int = 4) -> str:
    """Name some paths, and say how many more there are."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more


def suspects_sentence(suspects: Sequence[str]) -> str:
    return f" What changes without being saved: {list_paths(suspects)}." if suspects else ""


def merge_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Join what several Pythons found alike, leaks first."""
    joined: dict[tuple[str, tuple[str, ...]], Finding] = {}
    for finding in findings:
        # The same leak may show in other attributes elsewhere.
        key = finding.kind, () if finding.weight == "leak" else tuple(finding.paths)
        before = joined.get(key)
        if before is not None:
            pythons = list(dict.fromkeys(before.pythons + finding.pythons))
            finding = Finding(**{**asdict(before), "pythons": pythons})
        joined[key] = finding
    if any(finding.kind == "memory" for finding in findings):  # which names what is not saved
        joined = {key: finding for key, finding in joined.items() if finding.kind != "unsaved"}
    order = {"leak": 0, "caution": 1, "tamed": 2}
    return sorted(joined.values(), key=lambda finding: order[finding.weight])


def memory_finding(frame: int, paths: list[str], unsaved: Sequence[str]) -> Finding:
    """It plays differently after another game."""
    return Finding(
        "memory",
        "leak",
        f"After another game in the same process, the state before frame {frame} came out differently: "
        f"{list_paths(paths) or NOWHERE}. Peers that have played different games before would drift apart."
        f"{suspects_sentence(unsaved)}",
        "Let reset() begin everything anew, and keep nothing in modules, caches, defaults or other classes.",
        paths,
        [CPYTHON],
        frame,
    )


def address_finding(frame: int, paths: list[str]) -> Finding:
    """Two processes differ, though the same was played."""
    return Finding(
        "addresses",
        "leak",
        f"Two processes differ in the state before frame {frame}: {list_paths(paths) or NOWHERE}. Something "
        "depends on where objects lie in memory (id(), the hash of an object, the order of a set of objects) "
        "or on the system.",
        "Number the objects yourself, and loop over a list or over sorted(…, key=…).",
        paths,
        [CPYTHON],
        frame,
    )


def hash_finding(frame: int, paths: list[str]) -> Finding:
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


def browser_finding(wasm: Mapping[str, Any]) -> Finding:
    """It ends with an error in WebAssembly."""
    says = str(wasm["error"]).rstrip(".")
    return Finding(
        "browser",
        "leak",
        f"It does not run in the browsers' Python: {says}.",
        NO_THREADS if "can't start new thread" in says else str(wasm["hint"]),
        pythons=[WASM],
    )
