"""Plays a recorded game again, in the runtime and code it was played in, and compares all that was stored."""

import base64
import io
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coplay.data.recording import Recording, read_kept_file, read_recording
from coplay.errors import StoreError
from coplay.headless.node_simulation import NodeSimulation, node_simulation
from coplay.headless.stored_runtime import runtime_of_lock
from coplay.runtime import Report, silent

PROGRAM = "coplay.browser.resimulation"
FRAMES_AT_ONCE = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the replay first came out otherwise than the record, or could not go on."""

    frame: int
    """Which frame; of a checksum, the one before which the states differ."""
    what: str
    """`checksum`, `reward`, `flags`, `episode`; or `missing`: nobody stored the frame, so replaying ends."""
    player_id: int | None
    """Of a checksum, whose peer's; of a reward and of flags, whose."""
    stored: Any
    """As recorded; a checksum as 16 hexadecimal digits."""
    replayed: Any
    """As replayed."""

    def __str__(self) -> str:
        values = f"stored {self.stored}, replayed {self.replayed}"
        match self.what:
            case "checksum":
                return (
                    f"the state before frame {self.frame} differs from player {self.player_id}'s ({values})"
                )
            case "missing":
                return f"the record lacks frame {self.frame} and so cannot be replayed further"
            case "episode":
                return f"the episode of frame {self.frame} differs ({values})"
            case _:
                return f"the {self.what} of player {self.player_id} in frame {self.frame} differs ({values})"


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found."""

    game_id: str
    """The game."""
    verdict: str
    """The game's own verdict."""
    frames: int
    """How many were replayed: to the end, or as far as was needed to find a difference."""
    recorded_frames: int
    """How many the record has."""
    checksums: int
    """How many stored checksums came out equal."""
    difference: Difference | None
    """The first; None if everything is equal."""

    @property
    def equal(self) -> bool:
        """Whether everything that was stored came out again."""
        return self.difference is None

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program."""
        return {**asdict(self), "equal": self.equal}


def replay_game(data: Path, game_id: str, *, progress: Report = silent) -> Replay:
    """Replay a game of a data directory.

    Args:
        data: The data directory; the study may be running.
        game_id: Which game.
        progress: Told how far it is.

    Raises:
        UsageError: `game_id` is no game's id, or the stored code cannot play the game.
        StoreError: The game, its code or its lock is missing.
        RuntimeUnavailableError: The runtime that it was played in is not to be had, or there is no Node.
    """
    recording = read_recording(data, game_id)
    bundle = read_kept_file(data, "bundles", f"{recording.code_hash}.zip", recording.code_hash)
    lock = read_kept_file(data, "locks", f"{recording.lock_hash}.json", recording.lock_hash)
    modules = _study_modules(bundle)
    runtime = runtime_of_lock(lock, progress=progress)
    progress("Starting the browsers' Python", None)
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder:
        code = Path(folder) / "bundle.zip"
        code.write_bytes(bundle)
        with node_simulation(runtime, [code], PROGRAM) as simulation:
            simulation.ask(do="begin", modules=modules, study=recording.study, **recording.setup)
            return _compare(recording, simulation, lambda fraction: progress("Replaying", fraction))


def _study_modules(bundle: bytes) -> list[str]:
    """The modules of a bundle that may define its study: `study`, unless that name was taken."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        names = archive.namelist()
        if f"{PROGRAM.replace('.', '/')}.py" not in names:
            raise StoreError(
                "the stored code of the game is older than `coplay replay`", "Such a game cannot be replayed."
            )
        top = [name for name in names if name.endswith(".py") and "/" not in name]
        others = [name[:-3] for name in top if name != "study.py" and b"Study(" in archive.read(name)]
    return ["study", *others]


def _compare(recording: Recording, simulation: NodeSimulation, progress: Callable[[float], None]) -> Replay:
    frames, log = recording.frames, recording.log
    recorded = int(log.has.sum())
    stored: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for frame, peer, checksum in recording.checksums:
        stored[frame].append((peer, checksum))
    equal = 0
    for first in range(0, frames, FRAMES_AT_ONCE):
        progress(first / frames)
        end = min(first + FRAMES_AT_ONCE, frames)
        # The state after the last frame may have a checksum, too.
        wanted = [frame for frame in range(first, end + (end == frames)) if frame in stored]
        inputs = base64.b64encode(log.inputs[first:end].tobytes()).decode("ascii")
        reply = simulation.ask(do="step", inputs=inputs, checksums=wanted)
        replayed = {frame: int(text, 16) for frame, text in reply["checksums"]}
        differences = list(_differing_rows(recording, first, end, reply))
        for frame in wanted:
            for peer, checksum in stored[frame]:
                if replayed.get(frame) != checksum:
                    ours = f"{replayed[frame]:016x}" if frame in replayed else None
                    differences.append(Difference(frame, "checksum", peer, f"{checksum:016x}", ours))
        # The state before a frame comes before what the frame did.
        found = min(differences, key=lambda d: (d.frame, d.what != "checksum"), default=None)
        equal += sum(
            replayed.get(frame) == checksum
            for frame in wanted
            for _, checksum in stored[frame]
            if found is None or frame <= found.frame
        )
        if found is not None:
            played = min(found.frame + 1, frames)
            return Replay(recording.game_id, recording.verdict, played, recorded, equal, found)
    progress(1.0)
    gap = Difference(frames, "missing", None, None, None) if frames < log.frames else None
    return Replay(recording.game_id, recording.verdict, frames, recorded, equal, gap)


def _differing_rows(
    recording: Recording, first: int, end: int, reply: dict[str, Any]
) -> Iterator[Difference]:
    """The first frame of each column that came out differently."""
    log = recording.log
    players = log.rewards.shape[1]
    columns = (
        ("reward", log.rewards[first:end], _array(reply["rewards"], "<f8").reshape(-1, players)),
        ("flags", log.flags[first:end], _array(reply["flags"], "u1").reshape(-1, players)),
        ("episode", log.episodes[first:end, None], _array(reply["episodes"], "<u2")[:, None]),
    )
    for what, kept, again in columns:
        differing = (kept != again) & ~((kept != kept) & (again != again))  # NaN is not equal to itself
        if differing.any():
            row, column = (int(index) for index in np.argwhere(differing)[0])
            yield Difference(
                first + row,
                what,
                None if what == "episode" else column,
                kept[row, column].item(),
                again[row, column].item(),
            )


def _array(text: str, kind: str) -> Any:
    return np.frombuffer(base64.b64decode(text), kind)
