"""A replay held against what was stored: every checksum, reward and flag of every peer, and their inputs."""

import base64
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coplay.data.games.game_log import PeerLog
from coplay.data.games.recording import Recording
from coplay.replay.repaired_desyncs import RepairedDesync, RepairedDesyncs
from coplay.wasm.simulation_process import SimulationProcess

FRAMES_AT_ONCE = 120

_Array = np.ndarray[Any, np.dtype[Any]]
Watch = Callable[[int, Mapping[str, Any]], None]
"""Called with the first frame of some, and what `coplay.browser.resimulation` answered about them."""


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """Where the replay first came out otherwise than the record, or could not go on."""

    frame: int
    """Which frame; of a checksum, the one before which the states differ."""
    what: str
    """`checksum`, `reward`, `flags`, `episode`; `input`: two peers stored different ones; `damaged`: a stored
    batch that begins with this frame is not what was uploaded; or `missing`: nobody stored the frame, so
    replaying ends."""
    player_id: int | None
    """Of a reward and of flags, whose; of a checksum, an input and a damaged batch, whose peer's."""
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
            case "input":
                return f"the inputs of frame {self.frame} differ in player {self.player_id}'s copy ({values})"
            case "damaged":
                return (
                    f"a batch of player {self.player_id}, from frame {self.frame} on, is not what was "
                    f"uploaded ({self.stored})"
                )
            case "missing":
                return f"the record lacks frame {self.frame} and so cannot be replayed further"
            case "episode":
                return f"the episode of frame {self.frame} differs ({values})"
            case _:
                return f"the {self.what} of player {self.player_id} in frame {self.frame} differs ({values})"


class Comparison:
    """One replay under way.

    Args:
        recording: What was stored.
        simulation: Has answered to `begin`.
        asks: More for each request `step`, given its first frame and the end of those that it looks at.
        watch: Told what every portion of frames gave; nothing is drawn beyond a difference.

    Attributes:
        equal: How many stored checksums came out equal.
        frames: How many frames were replayed.
    """

    def __init__(
        self,
        recording: Recording,
        simulation: SimulationProcess,
        asks: Callable[[int, int], Mapping[str, Any]] | None,
        watch: Watch | None,
    ) -> None:
        self._recording = recording
        self._simulation = simulation
        self._asks = asks
        self._watch = watch
        self.equal = 0
        self.frames = 0
        self._excuses = RepairedDesyncs(recording.desyncs, recording.checksums)
        self._stored: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for frame, peer, checksum in recording.checksums:
            self._stored[frame].append((peer, checksum))

    def run(self, progress: Callable[[float], None]) -> ReplayDifference | None:
        """Replay to the end, or to the first difference, and return that."""
        recording, frames = self._recording, self._recording.frames
        for first in range(0, frames, FRAMES_AT_ONCE):
            progress(first / frames)
            found = self._portion(first, min(first + FRAMES_AT_ONCE, frames))
            if found is not None:
                self.frames = min(found.frame + 1, frames)
                return found
        progress(1.0)
        self.frames = frames
        return (
            ReplayDifference(frames, "missing", None, None, None) if frames < recording.log.frames else None
        )

    def excused(self) -> list[RepairedDesync]:
        """What was found otherwise, and a repaired desync explains."""
        return self._excuses.found()

    def _portion(self, first: int, end: int) -> ReplayDifference | None:
        """Play some frames; the first difference in them."""
        recording, stored = self._recording, self._stored
        # The state after the last frame may have a checksum, too, and be looked at.
        last = end + (end == recording.frames)
        wanted = [frame for frame in range(first, last) if frame in stored]
        request: dict[str, Any] = {
            "inputs": base64.b64encode(recording.log.inputs[first:end].tobytes()).decode("ascii"),
            "checksums": wanted,
        }
        if self._asks is not None:
            request |= self._asks(first, last)
        reply = self._simulation.ask(do="step", **request)
        replayed = {frame: int(text, 16) for frame, text in reply["checksums"]}
        differences = [*_unlike_copies(recording, first, end), *self._unlike_rows(first, end, reply)]
        differences += [
            ReplayDifference(frame, "damaged", peer, why, None)
            for frame, peer, why in recording.damaged
            if first <= frame < last
        ]
        for frame in wanted:
            differences += self._unlike_checksums(frame, replayed.get(frame))
        # A batch comes before the frames in it, and the state before a frame before what the frame did.
        order = {"damaged": 0, "checksum": 1, "input": 2}
        found = min(differences, key=lambda d: (d.frame, order.get(d.what, 3)), default=None)
        self.equal += sum(
            replayed.get(frame) == checksum
            for frame in wanted
            for _, checksum in stored[frame]
            if found is None or frame <= found.frame
        )
        if self._watch is not None:
            if found is not None:
                for kind in {"drawn", "imagined"} & reply.keys():
                    reply[kind] = [drawn for drawn in reply[kind] if drawn["frame"] <= found.frame]
            self._watch(first, reply)
        return found

    def _unlike_checksums(self, frame: int, replayed: int | None) -> Iterator[ReplayDifference]:
        """Whose states before a frame have another checksum."""
        right = {peer: checksum == replayed for peer, checksum in self._stored[frame]}
        for peer, checksum in self._stored[frame]:
            if not right[peer] and not self._excuses.checksum(frame, peer, right):
                ours = None if replayed is None else f"{replayed:016x}"
                yield ReplayDifference(frame, "checksum", peer, f"{checksum:016x}", ours)

    def _unlike_rows(self, first: int, end: int, reply: Mapping[str, Any]) -> Iterator[ReplayDifference]:
        """The first frame of each column, in each peer's copy, that came out differently."""
        log = self._recording.log
        players = log.rewards.shape[1]
        replayed = {
            "reward": _array(reply["rewards"], "<f8").reshape(-1, players),
            "flags": _array(reply["flags"], "u1").reshape(-1, players),
            "episode": _array(reply["episodes"], "<u2")[:, None],
        }
        unlike = {peer: _unlike(copy, first, end, replayed) for peer, copy in log.peers.items()}
        unexcused = {
            peer: np.logical_or.reduce([cells.any(axis=1) for cells in of.values()])
            for peer, of in unlike.items()
        }
        self._excuses.rows(first, unexcused)
        for peer, of in unlike.items():
            for what, cells in of.items():
                differing = cells & unexcused[peer][:, None]
                if differing.any():
                    row, column = (int(index) for index in np.argwhere(differing)[0])
                    kept = _column(log.peers[peer], what)[first + row, column].item()
                    whose = None if what == "episode" else column
                    yield ReplayDifference(first + row, what, whose, kept, replayed[what][row, column].item())


def _unlike_copies(recording: Recording, first: int, end: int) -> Iterator[ReplayDifference]:
    """The first frame for which a peer's copy of the inputs is another than the one that is played."""
    log = recording.log
    for peer, copy in log.peers.items():
        to = min(end, copy.frames)
        differing = (copy.inputs[first:to] != log.inputs[first:to]).any(axis=1) & copy.has[first:to]
        if differing.any():
            frame = first + int(differing.argmax())
            yield ReplayDifference(
                frame, "input", peer, copy.inputs[frame].tobytes().hex(), log.inputs[frame].tobytes().hex()
            )


def _unlike(copy: PeerLog, first: int, end: int, replayed: Mapping[str, _Array]) -> dict[str, _Array]:
    """Of each kind of result: frame × column → whether a peer stored something else."""
    to = max(first, min(end, copy.frames))
    here = copy.has[first:to, None]
    found = {}
    for what, again in replayed.items():
        kept, given = _column(copy, what)[first:to], again[: to - first]
        same = (kept == given) | ((kept != kept) & (given != given))  # NaN is not equal to itself
        found[what] = ~same & here
    return found


def _column(copy: PeerLog, what: str) -> _Array:
    """What a peer stored: frame × player, or frame × 1."""
    match what:
        case "reward":
            return copy.rewards
        case "flags":
            return copy.flags
        case _:
            return copy.episodes[:, None]


def _array(text: str, kind: str) -> Any:
    return np.frombuffer(base64.b64decode(text), kind)
