"""The check of an environment, in CPython and in the browsers' Python."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from coplay.check.advice import Advice, advise
from coplay.check.diagnosis import diagnose
from coplay.check.findings import (
    CPYTHON,
    WASM,
    Finding,
    address_finding,
    browser_finding,
    hash_finding,
    memory_finding,
    merge_findings,
)
from coplay.check.in_cpython import cpython_simulation
from coplay.check.in_wasm import run_in_wasm
from coplay.errors import UsageError
from coplay.runtime import ReportProgress, silent
from coplay.wasm.simulation_process import SimulationProcess

FRAMES = 300
SECONDS = 30.0
TIMEOUT_S = 120.0
Verdict = Literal["safe", "unsafe", "unknown"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check."""

    environment: str
    """The environment's name, as given."""
    verdict: Verdict
    """`safe` if peers that simulate it stay in the same state; `unknown` if WebAssembly was not tried."""
    findings: list[Finding]
    """Leaks first, then cautions, then tamed side effects."""
    cpython: dict[str, Any]
    """The report of `examination.answer`."""
    wasm: dict[str, Any]
    """The report from the browsers' Python, or `{error, hint}` if it was not tried or did not run."""
    disagree_at: int | None
    """The first frame before which the states in the two Pythons differ; None if they never do, or if only
    one was tried."""
    disagreeing: list[str]
    """The attributes that differ there, as `path (CPython | WebAssembly)`."""
    packages: list[str]
    """The packages that a study has to list."""
    advice: Advice
    """The frame rate and input delay that its costs allow."""

    @property
    def safe(self) -> bool:
        """True if it was tried in both Pythons, and nothing leaks."""
        return self.verdict == "safe"

    @property
    def reasons(self) -> list[str]:
        """Sentences that say why it is not safe; empty if nothing leaks."""
        return [finding.says for finding in self.findings if finding.weight == "leak"]

    @property
    def agree(self) -> bool | None:
        """True if both Pythons compute the same; None if only one was tried."""
        return None if "error" in self.wasm else self.disagree_at is None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "environment": self.environment,
            "verdict": self.verdict,
            "safe": self.safe,
            "reasons": self.reasons,
            "findings": [finding.as_json() for finding in self.findings],
            "cpython": self.cpython,
            "wasm": self.wasm,
            "agree": self.agree,
            "disagree_at": self.disagree_at,
            "disagreeing": self.disagreeing,
            "packages": self.packages,
            "max_fps": self.advice.max_fps,
            "fps": self.advice.fps,
            "delay_frames": {f"{rtt}_ms": frames for rtt, frames in self.advice.delays.items()},
        }


def check(
    environment: str, *, frames: int = FRAMES, seconds: float = SECONDS, progress: ReportProgress = silent
) -> CheckResult:
    """Play random inputs, roll back at every frame by 1 to 8 frames, and compare, in both Pythons.

    Args:
        environment: A Gymnasium id, `package:id`, or `module:factory` importable from the current folder.
        frames: Number of frames to play.
        seconds: Approximate limit for each Python. A slow environment is rolled back at fewer frames, and the
            result says so.
        progress: Called with each stage and its progress.

    Raises:
        UsageError: The environment cannot be made or played in CPython.
    """
    order = {"environment": environment, "frames": frames, "seconds": seconds}
    with cpython_simulation(environment, timeout_s=TIMEOUT_S) as here:
        cpython = _examined(here, f"Playing {environment} in {CPYTHON}", order, progress)
        dependencies = here.ask(do="dependencies", environment=environment)
        trace = cpython.pop("trace")
        findings = diagnose(CPYTHON, cpython)
        if not any(finding.weight == "leak" for finding in findings):
            progress(f"Playing {environment} in other processes", None)
            findings += _compared_elsewhere(here, environment, frames, trace, cpython["unsaved"])

        def play(there: SimulationProcess) -> dict[str, Any]:
            report = _examined(there, f"Playing {environment} in {WASM}", order, progress)
            report["disagree_at"] = frame = _first_difference(trace, report.pop("trace"))
            report["disagreeing"] = [] if frame is None else _differing(here, there, frames, frame)
            return report

        trial = run_in_wasm(dependencies, play, timeout_s=TIMEOUT_S, progress=progress)
    wasm = trial.report
    if trial.blamed:
        findings.append(browser_finding(wasm))
    if "error" not in wasm:
        findings += diagnose(WASM, wasm)
    findings = merge_findings(findings)
    leaks = any(finding.weight == "leak" for finding in findings)
    return CheckResult(
        environment=environment,
        verdict="unsafe" if leaks else "unknown" if "error" in wasm else "safe",
        findings=findings,
        cpython=cpython,
        wasm=wasm,
        disagree_at=wasm.pop("disagree_at", None),
        disagreeing=wasm.pop("disagreeing", []),
        packages=trial.packages,
        advice=advise(cpython if "error" in wasm else wasm),
    )


def _examined(
    simulation: SimulationProcess, what: str, order: Mapping[str, Any], progress: ReportProgress
) -> dict[str, Any]:
    """Let a process examine the environment, and report the progress."""
    progress(what, 0.0)
    try:
        reply = simulation.ask(do="begin", **order)
        while "report" not in reply:
            progress(what, reply["fraction"])
            reply = simulation.ask(do="go_on")
    except UsageError as error:
        # Such messages of the examined process need the environment's name.
        if error.message.startswith("it "):
            raise UsageError(
                f"{order['environment']} cannot be played: {error.message}", error.hint
            ) from error
        raise
    progress(what, 1.0)
    report: dict[str, Any] = reply["report"]
    return report


def _compared_elsewhere(
    here: SimulationProcess, environment: str, frames: int, trace: Sequence[str], unsaved: Sequence[str]
) -> Iterator[Finding]:
    """Play the same inputs in processes that differ in what must not matter: history, addresses, hashes."""
    order = {"do": "trace", "environment": environment, "frames": frames}
    with cpython_simulation(environment, displaced=True, timeout_s=TIMEOUT_S) as there:
        other = there.ask(**order, before=True)["trace"]
        frame = _first_difference(trace, other)
        paths = [] if frame is None else _differing(here, there, frames, frame)
    if frame is not None:
        # The other process had played another game before. If it is equal without that, the game left traces.
        with cpython_simulation(environment, displaced=True, timeout_s=TIMEOUT_S) as there:
            fresh = _first_difference(trace, there.ask(**order, before=False)["trace"]) is None
        yield memory_finding(frame, paths, unsaved) if fresh else address_finding(frame, paths)
        return
    with cpython_simulation(environment, hash_seed=1, timeout_s=TIMEOUT_S) as there:
        other = there.ask(**order, before=False)["trace"]
        if (frame := _first_difference(trace, other)) is not None:
            yield hash_finding(frame, _differing(here, there, frames, frame))


def _first_difference(trace: Sequence[str], other: Sequence[str]) -> int | None:
    """Return the first frame before which two traces differ; None if they are equal."""
    pairs = enumerate(zip_longest(trace, other))
    return next((frame for frame, (mine, theirs) in pairs if mine != theirs), None)


def _differing(here: SimulationProcess, there: SimulationProcess, frames: int, frame: int) -> list[str]:
    """Return what differs between two processes before a frame, as `path (one | other)`."""
    mine, theirs = (one.ask(do="look", frames=frames, frame=frame)["leaves"] for one in (here, there))
    paths = [path for path in {**mine, **theirs} if mine.get(path) != theirs.get(path)]
    return [f"{path} ({_value(mine, path)} | {_value(theirs, path)})" for path in sorted(paths)[:20]]


def _value(leaves: Mapping[str, str], path: str) -> str:
    return leaves[path][:40] if path in leaves else "missing"
