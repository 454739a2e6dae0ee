"""The comparison of a replay with what was stored: inputs, checksums, rewards and flags of every peer."""

import base64
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coplay.data.games.game_log import PeerLog
from coplay.data.games.recorded_game import Recording
from coplay.replay.repaired_desyncs import RepairedDesync, RepairedDesyncs
from coplay.wasm.simulation_process import SimulationProcess

FRAMES_AT_ONCE = 120

_Array = np.ndarray[Any, np.dtype[Any]]
Watch = Callable[[int, Mapping[str, Any]], None]
"""Called with the first frame of each portion, and the reply of `coplay.browser.resimulation` for it."""


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """The first difference between the replay and the record, or where the replay had to stop."""

    frame: int
    """The frame; for a checksum, the frame before which the states differ."""
    what: str
    """`checksum`, `reward`, `flags` or `episode`; `input` if two peers stored different inputs; `damaged` if
    the stored batch that begins with this frame is not what was uploaded; `missing` if no peer stored the
    frame, so that the replay ends."""
    player_id: int | None
    """The player of a reward or flags; the peer of a checksum, an input or a damaged batch."""
    stored: Any
    """The stored value; a checksum has 16 hexadecimal digits."""
    replayed: Any
    """The replayed value."""

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
                return f"frame {self.frame} is missing in the record, so the replay ends there"
            case "episode":
                return f"the episode of frame {self.frame} differs ({values})"
            case _:
                return f"the {self.what} of player {self.player_id} in frame {self.frame} differs ({values})"


class Comparison:
    """A replay in progress, compared portion by portion.

    Args:
        recording: The recorded game.
        simulation: The process that replays it; it has replied to `begin`.
        more_fields: Returns more fields for each request `step`, given its first frame and the end of the
            frames it may look at.
        watch: Called with the reply of each portion; drawings after a difference are removed.

    Attributes:
        equal: Number of stored checksums that the replay reproduced.
        frames: Number of frames replayed.
    """

    def __init__(
        self,
        recording: Recording,
        simulation: SimulationProcess,
        more_fields: Callable[[int, int], Mapping[str, Any]] | None,
        watch: Watch | None,
    ) -> None:
        self._recording = recording
        self._simulation = simulation
        self._more_fields = more_fields
        self._watch = watch
        self.equal = 0
        self.frames = 0
        self._repaired = RepairedDesyncs(recording.desyncs, recording.checksums)
        self._stored: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for frame, peer, checksum in recording.checksums:
            self._stored[frame].append((peer, checksum))

    def run(self, progress: Callable[[float], None]) -> ReplayDifference | None:
        """Replay to the end or to the first difference, and return the difference.

        Args:
            progress: Called with the fraction replayed.
        """
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
            # No peer stored this frame, so the frames after it cannot be simulated.
            ReplayDifference(frames, "missing", None, None, None) if frames < recording.log.frames else None
        )

    def excused(self) -> list[RepairedDesync]:
        """Return the repaired desyncs that explain a difference."""
        return self._repaired.explanations()

    def _portion(self, first: int, end: int) -> ReplayDifference | None:
        """Replay some frames, and return the first difference in them."""
        recording, stored = self._recording, self._stored
        # The state after the last frame may have a checksum too.
        last = end + (end == recording.frames)
        wanted = [frame for frame in range(first, last) if frame in stored]
        request: dict[str, Any] = {
            "inputs": base64.b64encode(recording.log.inputs[first:end].tobytes()).decode("ascii"),
            "checksums": wanted,
        }
        if self._more_fields is not None:
            request |= self._more_fields(first, last)
        reply = self._simulation.ask(do="step", **request)
        replayed = {frame: int(text, 16) for frame, text in reply["checksums"]}
        differences = [*_input_differences(recording, first, end), *self._row_differences(first, end, reply)]
        differences += [
            ReplayDifference(frame, "damaged", peer, why, None)
            for frame, peer, why in recording.damaged
            if first <= frame < last
        ]
        for frame in wanted:
            differences += self._checksum_differences(frame, replayed.get(frame))
        # Causes before effects: a damaged batch, the state before the frame, its inputs, its results.
        order = {"damaged": 0, "checksum": 1, "input": 2}
        found = min(differences, key=lambda d: (d.frame, order.get(d.what, 3)), default=None)
        # Only up to the difference: after it, nothing is compared.
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

    def _checksum_differences(self, frame: int, replayed: int | None) -> Iterator[ReplayDifference]:
        """Yield the peers whose state before a frame has another checksum."""
        right = {peer: checksum == replayed for peer, checksum in self._stored[frame]}
        for peer, checksum in self._stored[frame]:
            if not right[peer] and not self._repaired.explains_checksum(frame, peer, right):
                ours = None if replayed is None else f"{replayed:016x}"
                yield ReplayDifference(frame, "checksum", peer, f"{checksum:016x}", ours)

    def _row_differences(self, first: int, end: int, reply: Mapping[str, Any]) -> Iterator[ReplayDifference]:
        """Yield the first difference in each column of each peer's copy."""
        log = self._recording.log
        players = log.rewards.shape[1]
        replayed = {
            "reward": _array(reply["rewards"], "<f8").reshape(-1, players),
            "flags": _array(reply["flags"], "u1").reshape(-1, players),
            "episode": _array(reply["episodes"], "<u2")[:, None],
        }
        peers = log.peers.items()
        differing = {peer: _differing_cells(copy, first, end, replayed) for peer, copy in peers}
        unexplained_rows = {
            peer: np.logical_or.reduce([cells.any(axis=1) for cells in results.values()])
            for peer, results in differing.items()
        }
        self._repaired.remove_explained_rows(first, unexplained_rows)
        for peer, results in differing.items():
            for what, cells in results.items():
                unexplained = cells & unexplained_rows[peer][:, None]
                if unexplained.any():
                    row, column = (int(index) for index in np.argwhere(unexplained)[0])
                    stored = _column(log.peers[peer], what)[first + row, column].item()
                    player = None if what == "episode" else column
                    result = replayed[what][row, column].item()
                    yield ReplayDifference(first + row, what, player, stored, result)


def _input_differences(recording: Recording, first: int, end: int) -> Iterator[ReplayDifference]:
    """Yield the first frame for which a peer's copy of the inputs differs from the one that is replayed."""
    log = recording.log
    for peer, copy in log.peers.items():
        to = min(end, copy.frames)
        differing = (copy.inputs[first:to] != log.inputs[first:to]).any(axis=1) & copy.has[first:to]
        if differing.any():
            frame = first + int(differing.argmax())
            yield ReplayDifference(
                frame, "input", peer, copy.inputs[frame].tobytes().hex(), log.inputs[frame].tobytes().hex()
            )


def _differing_cells(
    copy: PeerLog, first: int, end: int, replayed: Mapping[str, _Array]
) -> dict[str, _Array]:
    """Return for each kind of result an array of frame × column, True where the peer's value differs."""
    to = max(first, min(end, copy.frames))
    here = copy.has[first:to, None]
    differing = {}
    for what, results in replayed.items():
        ours, theirs = results[: to - first], _column(copy, what)[first:to]
        same = (ours == theirs) | ((ours != ours) & (theirs != theirs))  # NaN is not equal to itself
        differing[what] = ~same & here
    return differing


def _column(copy: PeerLog, what: str) -> _Array:
    """Return what a peer stored as frame × player, or frame × 1."""
    match what:
        case "reward":
            return copy.rewards
        case "flags":
            return copy.flags
        case _:
            return copy.episodes[:, None]


def _array(text: str, kind: str) -> Any:
    return np.frombuffer(base64.b64decode(text), kind)
