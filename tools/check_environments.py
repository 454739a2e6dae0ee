"""Checks environments that others wrote, and writes docs/reference/environments.md.

Usage: .venv/bin/python tools/check_environments.py [--seconds 30] [WORD …]

Each package is installed, at the version named here, into a temporary environment on top of the current one;
then each of its environments is checked, for the given seconds in each Python. With words, only environments
whose name contains one of them are checked, and their rows only printed.
"""
# ruff: noqa: E501 (the lines of the page)

import argparse
import json
import platform
import subprocess
import sysconfig
import tempfile
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "reference" / "environments.md"
GYMNASIUM = ("gymnasium",)


@dataclass(frozen=True)
class Subject:
    """An environment to check."""

    name: str
    packages: tuple[str, ...] = GYMNASIUM
    """Packages to install: the environment's own first; pinned, unless coplay depends on it."""
    remark: str = ""
    wrapped: bool = False
    """True if this program writes the module of the environment."""


SUBJECTS = [
    *(
        Subject(name)
        for name in (
            "CartPole-v1",
            "MountainCar-v0",
            "MountainCarContinuous-v0",
            "Acrobot-v1",
            "Pendulum-v1",
            "Taxi-v4",
            "FrozenLake-v1",
            "Blackjack-v1",
            "CliffWalking-v1",
        )
    ),
    *(
        Subject(f"cogrid:Overcooked-{layout}-V0", ("cogrid",))
        for layout in ("CrampedRoom", "AsymmetricAdvantages", "CoordinationRing", "CounterCircuit")
    ),
    Subject("cogrid:OvercookedV2-GroundedCoordSimple-V0", ("cogrid",)),
    Subject("minigrid:MiniGrid-DoorKey-8x8-v0", ("minigrid==3.2.0",)),
    Subject("minigrid:MiniGrid-Dynamic-Obstacles-8x8-v0", ("minigrid==3.2.0",)),
    Subject("mpe2.simple_spread_v3:parallel_env", ("mpe2==1.1.1",)),
    Subject("mpe2.simple_tag_v3:parallel_env", ("mpe2==1.1.1",)),
    Subject("mpe2.simple_speaker_listener_v4:parallel_env", ("mpe2==1.1.1",)),
    Subject("highway_env:highway-v0", ("highway-env==1.12.1",)),
    Subject("highway_env:merge-v1", ("highway-env==1.12.1",)),
    Subject("lbforaging:Foraging-8x8-2p-3f-v3", ("lbforaging==2.0.0",)),
    Subject("rware:rware-tiny-2ag-v2", ("rware==2.0.0",)),
    Subject(
        "foraging_for_two:make",
        ("lbforaging==2.0.0",),
        "`Tuple` actions made into a `ParallelEnv` by 30 lines of one's own",
        wrapped=True,
    ),
    Subject(
        "warehouse_for_two:make",
        ("rware==2.0.0",),
        "likewise",
        wrapped=True,
    ),
    Subject("gymnasium_2048:gymnasium_2048/TwentyFortyEight-v0", ("gymnasium-2048==0.1.2",)),
    Subject("pettingzoo.butterfly.cooperative_pong_v6:parallel_env", ("pettingzoo", "pygame-ce")),
    Subject("pettingzoo.classic.rps_v2:parallel_env", ("pettingzoo", "pygame-ce")),
    Subject("gymnasium:LunarLander-v3", ("gymnasium", "box2d==2.3.10")),
]
WRAPPED = {
    "foraging_for_two": "lbforaging:Foraging-8x8-2p-3f-v3",
    "warehouse_for_two": "rware:rware-tiny-2ag-v2",
}
TWO_PLAYERS = '''"""A Gymnasium environment with a tuple of actions, as the game of several players that it is."""

import gymnasium
from pettingzoo import ParallelEnv


class Several(ParallelEnv):
    metadata = {{"name": "several"}}

    def __init__(self):
        self.env = gymnasium.make("{name}", disable_env_checker=True).unwrapped
        self.possible_agents = [f"player_{{i}}" for i in range(len(self.env.action_space.spaces))]
        self.agents = []

    def action_space(self, agent):
        return self.env.action_space.spaces[self.possible_agents.index(agent)]

    def observation_space(self, agent):
        return self.env.observation_space.spaces[self.possible_agents.index(agent)]

    def reset(self, seed=None, options=None):
        self.agents = self.possible_agents[:]
        observations, _ = self.env.reset(seed=seed, options=options)
        return self.each(observations), {{agent: {{}} for agent in self.agents}}

    def step(self, actions):
        observations, rewards, over, cut, _ = self.env.step([int(actions[agent]) for agent in self.agents])
        acting, gone = self.agents, bool(over or cut)
        self.agents = [] if gone else acting
        return (
            self.each(observations),
            self.each(rewards),
            dict.fromkeys(acting, bool(over)),
            dict.fromkeys(acting, bool(cut)),
            {{agent: {{}} for agent in acting}},
        )

    def each(self, values):
        return dict(zip(self.possible_agents, values, strict=True))


def make():
    return Several()
'''


CHECK = """
import json, sys
from coplay.errors import CoplayError
from coplay.check.check import check
try:
    print(json.dumps(check(sys.argv[1], seconds=float(sys.argv[2])).as_json()))
except CoplayError as error:
    sys.exit(f"{error.message} {error.hint}")
"""


@dataclass
class Row:
    """The result of checking one environment."""

    subject: Subject
    version: str
    answer: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""


def make_environment(folder: Path) -> Path:
    """Create a virtual environment on top of this one, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    below = sysconfig.get_path("purelib")
    (Path(purelib) / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")
    return python


def install(python: Path, packages: tuple[str, ...]) -> str:
    """Install packages. Return why that failed, or an empty text."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1]


def version_of(python: Path, package: str) -> str:
    """Return `name version` of an installed package."""
    name = package.partition("==")[0]
    code = f"from importlib.metadata import version; print(version({name!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return f"{name} {done.stdout.strip()}"


def check(python: Path, subject: Subject, folder: Path, seconds: float) -> Row:
    """Run `coplay check` for one environment and return the result."""
    module = subject.name.partition(":")[0]
    if subject.wrapped:
        text = TWO_PLAYERS.format(name=WRAPPED[module])
        (folder / f"{module}.py").write_text(text)
    row = Row(subject, version_of(python, subject.packages[0]))
    done = subprocess.run(
        [python, "-c", CHECK, subject.name, str(seconds)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stdout.strip():
        row.answer = json.loads(done.stdout)
    else:
        row.refusal = (done.stderr.strip().splitlines() or ["no answer"])[-1]
    return row


def cells(row: Row) -> list[str]:
    """Return the cells of a row of the table."""
    name = row.subject.name.removeprefix("gymnasium:")
    first = [f"`{name}`", row.version]
    answer = row.answer
    if not answer:
        return [*first, "cannot be played", *["—"] * 5, remark(row)]
    wasm = answer["wasm"]
    ran = "error" not in wasm
    agree = {True: "yes", False: f"no, from frame {answer['disagree_at']}", None: "—"}[answer["agree"]]
    delays = " / ".join(str(frames) for frames in answer["delay_frames"].values()) or "—"
    return [
        *first,
        {"safe": "**safe**", "unsafe": "**not safe**", "unknown": "not tried in WebAssembly"}[
            answer["verdict"]
        ],
        agree,
        costs(answer["cpython"]),
        costs(wasm) if ran else "—",
        f"{answer['max_fps']}{'+' if answer['max_fps'] == 60 else ''}",
        f"{answer['fps']:g}: {delays}",
        remark(row),
    ]


def costs(report: dict[str, Any]) -> str:
    """Return `step / snapshot / checksum (deepcopy)` in microseconds."""
    copied = report["deepcopy_us"]
    deep = "—" if copied is None else f"{copied:.0f}"
    return f"{report['step_us']:.0f} / {report['snapshot_us']:.0f} / {report['checksum_us']:.0f} ({deep})"


def remark(row: Row) -> str:
    """Return the remark of a row."""
    parts = [row.subject.remark] if row.subject.remark else []
    if row.refusal:
        return "; ".join([*parts, row.refusal]).replace("|", "\\|")
    for finding in row.answer["findings"]:
        if finding["weight"] == "tamed":
            parts.append(f"tamed: {finding['kind']} ({finding['paths'][0]})")
        else:
            parts.append(f"{finding['says']} {finding['do']}".strip())
    if row.answer["verdict"] == "unknown":
        parts.append(f"{row.answer['wasm']['error'].rstrip('.')}. {row.answer['wasm']['hint']}")
    if row.answer["agree"] is False:
        parts.append(f"first in {row.answer['disagreeing'][0]}" if row.answer["disagreeing"] else "")
    fewest = min(row.answer["cpython"]["distances"].values(), default=0)
    if fewest < row.answer["cpython"]["frames"]:
        parts.append(f"rolled back by 8 at {fewest} frames for want of time")
    if row.answer["cpython"]["players"] > 1:
        parts.append(f"{row.answer['cpython']['players']} players")
    return "; ".join(filter(None, parts)).replace("\n", " ").replace("|", "\\|")


HEADINGS = [
    "Environment",
    "Package",
    "Verdict",
    "CPython = WASM",
    "CPython, µs",
    "WASM, µs",
    "Max. fps",
    "fps: delay",
    "Remarks",
]
INTRODUCTION = """\
# Environments that others wrote

What `coplay check` says of environments from PyPI, as they are, none of them changed. `{command}` writes this page anew;
it was written with {python}, numpy {numpy}, and for the browser Python {wasm} with numpy {wasm_numpy}, on a machine that
did other work as well: compare the figures of a row with each other rather than with your own.

- **Verdict**: safe for peer-to-peer play or not. Each was played for 300 frames with random actions and rolled back by
  1 to 8 frames at every one of them, in CPython and in WebAssembly under Node (slow ones at fewer, as remarked).
- **CPython = WASM**: whether both compute the same, to the last bit of every state. Where they do not, replays must be
  made in WebAssembly, as `coplay replay` does; participants all play in WebAssembly and agree.
- **µs**: a step / its snapshot / a checksum, and in brackets what `copy.deepcopy` of the environment takes.
- **Max. fps**: the highest usual frame rate that a machine like this one affords. **fps: delay**: the rate that the
  environment asks for (or else 30), and the input delay in frames at 50 / 100 / 200 ms of round trip.
- **tamed**: randomness or a clock that is no function of the seed by itself, and is made one.

"""


def document(rows: list[Row]) -> str:
    """Return the page as Markdown."""
    first = next(row.answer for row in rows if "python" in row.answer.get("wasm", {}))
    text = INTRODUCTION.format(
        command="python tools/check_environments.py",
        python=f"CPython {platform.python_version()}",
        numpy=first["cpython"]["numpy"],
        wasm=first["wasm"]["python"],
        wasm_numpy=first["wasm"]["numpy"],
    )
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(cells(row) for row in rows)]
    return text + "".join(f"| {' | '.join(line)} |\n" for line in lines) + ENDING


ENDING = """
## What to do with those that are refused
| It says | Do |
|---|---|
| the action space is a `Tuple` | it is a game of several players: wrap it in a `ParallelEnv`, one agent per component, as \
`tools/check_environments.py` does |
| needs pygame, or another library that only draws, in step() | let step() compute and render() draw; or list \
the library in the study's `packages`, where Pyodide has it |
| no wheel runs in a browser | it has compiled parts (Box2D, MuJoCo, numba, JAX): rewrite these in \
numpy |
| turn-based (AEC) | use its `parallel_env`, or `pettingzoo.utils.conversions.aec_to_parallel` |
"""


def main() -> None:
    """Check all environments, or those that are named."""
    options = argparse.ArgumentParser()
    options.add_argument("words", nargs="*")
    options.add_argument("--seconds", type=float, default=30.0)
    given = options.parse_args()
    chosen = [s for s in SUBJECTS if not given.words or any(word in s.name for word in given.words)]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="coplay-environments-") as place:
        folder = Path(place)
        python = make_environment(folder / "venv")
        for subject in chosen:
            failure = install(python, subject.packages)
            if failure:
                row = Row(subject, subject.packages[0], refusal=failure)
            else:
                row = check(python, subject, folder, given.seconds)
            rows.append(row)
            print(f"| {' | '.join(cells(row))} |", flush=True)
            if not given.words:  # after each environment, so that an interrupted run keeps its results
                DOCUMENT.parent.mkdir(exist_ok=True)
                DOCUMENT.write_text(document(rows), "utf-8")


if __name__ == "__main__":
    main()
