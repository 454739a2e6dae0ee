"""Findings about an environment, each with what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

CPYTHON, WASM = "CPython", "WebAssembly"
Weight = Literal["leak", "caution", "tamed"]
NOWHERE: Final = "in no attribute that can be seen"
NO_THREADS: Final = "The browsers' Python has no threads. Do the work in step()."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in an environment."""

    kind: str
    """The kind of finding: `rollback`, `unsaveable`, `memory`, `thread`, `clock` and others."""
    weight: Weight
    """A `leak` makes the environment unsafe, a `caution` might, and what is `tamed` is harmless in a game."""
    says: str
    """One or two sentences for the user."""
    do: str = ""
    """What to do about it; may be empty."""
    paths: list[str] = field(default_factory=list)
    """The attributes or lines of code it is about."""
    pythons: list[str] = field(default_factory=list)
    """The Pythons in which it was found: `CPYTHON`, `WASM` or both."""
    frame: int | None = None
    """The first frame that shows it; None if no frame does."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def list_paths(paths: Sequence[str], most: int = 4) -> str:
    """Return the first paths as text, with the number of those left out."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more


def suspects_sentence(suspects: Sequence[str]) -> str:
    """Return a sentence that names likely causes, or "" if there is none."""
    return f" What changes without being saved: {list_paths(suspects)}." if suspects else ""


def merge_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Join findings that several Pythons have in common; leaks come first."""
    joined: dict[tuple[str, tuple[str, ...]], Finding] = {}
    for finding in findings:
        # The same leak may show in different attributes in each Python.
        key = finding.kind, () if finding.weight == "leak" else tuple(finding.paths)
        before = joined.get(key)
        if before is not None:
            pythons = list(dict.fromkeys(before.pythons + finding.pythons))
            finding = Finding(**{**asdict(before), "pythons": pythons})
        joined[key] = finding
    if any(finding.kind == "memory" for finding in findings):  # which names the unsaved state too
        joined = {key: finding for key, finding in joined.items() if finding.kind != "unsaved"}
    order = {"leak": 0, "caution": 1, "tamed": 2}
    return sorted(joined.values(), key=lambda finding: order[finding.weight])


def memory_finding(frame: int, paths: list[str], unsaved: Sequence[str]) -> Finding:
    """Return the finding that the environment plays differently after another game."""
    return Finding(
        "memory",
        "leak",
        f"After another game in the same process, the state before frame {frame} came out differently: "
        f"{list_paths(paths) or NOWHERE}. Peers that played different games before would diverge."
        f"{suspects_sentence(unsaved)}",
        "Let reset() reset everything, and keep no state in modules, caches, defaults or other classes.",
        paths,
        [CPYTHON],
        frame,
    )


def address_finding(frame: int, paths: list[str]) -> Finding:
    """Return the finding that two processes diverge although they played the same inputs."""
    return Finding(
        "addresses",
        "leak",
        f"Two processes differ in the state before frame {frame}: {list_paths(paths) or NOWHERE}. Something "
        "depends on memory addresses (id(), the default hash of an object, the order of a set of objects) or "
        "on the system.",
        "Number the objects yourself, and iterate over a list or over sorted(…, key=…).",
        paths,
        [CPYTHON],
        frame,
    )


def hash_finding(frame: int, paths: list[str]) -> Finding:
    """Return the finding that processes with another seed for string hashes diverge."""
    return Finding(
        "hashes",
        "tamed",
        "It depends on string hashes, perhaps through the order of a set of strings. They are the same in "
        "all browsers; set PYTHONHASHSEED=0 to have the same elsewhere, for example in training.",
        "",
        paths,
        [CPYTHON],
        frame,
    )


def browser_finding(wasm: Mapping[str, Any]) -> Finding:
    """Return the finding that the environment raises in WebAssembly."""
    says = str(wasm["error"]).rstrip(".")
    return Finding(
        "browser",
        "leak",
        f"It does not run in the browsers' Python: {says}.",
        NO_THREADS if "can't start new thread" in says else str(wasm["hint"]),
        pythons=[WASM],
    )
