"""The files of the scrubber: one about the game, and its pictures in portions, drawn in a replay."""

import base64
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from coplay.data.games.actions import decode_actions
from coplay.data.games.game_log import GameLog
from coplay.data.games.recorded_game import read_recording
from coplay.export.png import encode_png
from coplay.export.reading import StoredGame, open_data
from coplay.export.scrub.mispredictions import Misprediction, mispredictions_of
from coplay.export.tables.game_rows import net_rows, stepped_frames
from coplay.replay.replay import FRAMES_AT_ONCE, ReplayResult, replay_recording
from coplay.runtime import ReportProgress, silent

FRAMES_PER_FILE: Final = FRAMES_AT_ONCE
"""How many frames' pictures one file holds."""


def write_scrub_files(
    data: Path, game_id: str, folder: Path, *, progress: ReportProgress = silent
) -> ReplayResult:
    """Replay a game and write `game.json` and `pictures-<number>.json` for the scrubber.

    Args:
        data: The data directory.
        game_id: The id of the game.
        folder: The folder of the files, which must exist.
        progress: Called with the current stage of the work, and its fraction.

    Raises:
        CoplayError: As `coplay.replay.replay.replay_game`.
    """
    recording = read_recording(data, game_id)
    with open_data(data) as reader:
        stored = reader.game(next(row for row in reader.games() if row["game_id"] == game_id))
    players = sorted(stored.people)
    owners = {player: stored.owner(player) for player in players}
    viewers = [player for player in players if player in recording.log.peers]
    mispredictions: dict[int, list[Misprediction]] = defaultdict(list)
    for viewer in viewers:
        for screen in mispredictions_of(recording.log, viewer, owners, recording.setup["input_sizes"]):
            mispredictions[screen.frame].append(screen)
    pictures = _PictureFiles(folder)
    described: dict[str, Any] = {}

    def more_fields(first: int, last: int) -> dict[str, Any]:
        imagine = [
            [screen.frame, screen.player, screen.first, base64.b64encode(screen.inputs).decode("ascii")]
            for frame in range(first, last)
            for screen in mispredictions.get(frame, ())
        ]
        return {"draw": list(range(first, last)), "imagine": imagine}

    replay = replay_recording(
        data,
        recording,
        progress=progress,
        watch=pictures.add,
        opened=described.update,
        more_fields=more_fields,
        screens=viewers,
        imagines=True,
    )
    about = _about(stored, recording.log, viewers, replay)
    about |= {"agents": described["agents"], "strings": pictures.strings, "portion": FRAMES_PER_FILE}
    (folder / "game.json").write_text(json.dumps(about), "utf-8")
    return replay


class _PictureFiles:
    """The files of pictures, each of which is written when its portion of the replay arrives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.strings: dict[int, list[str]] = defaultdict(list)

    def add(self, first: int, reply: Mapping[str, Any]) -> None:
        """Write the pictures of one portion of frames.

        Args:
            first: The first frame of the portion.
            reply: What the replay sent for it.
        """
        truth: dict[int, dict[int, Any]] = defaultdict(dict)
        shown: dict[int, dict[int, Any]] = defaultdict(dict)
        for drawn in reply["drawn"]:
            truth[drawn["player"]][drawn["frame"]] = _picture(drawn)
        for drawn in reply["imagined"]:
            picture = _picture(drawn)
            # A wrong prediction may make no visible difference, for example in a countdown.
            if picture != truth[drawn["player"]].get(drawn["frame"]):
                shown[drawn["player"]][drawn["frame"]] = picture
        # In the order of drawing, because a string is sent only with the first picture that uses it.
        for drawn in sorted((*reply["drawn"], *reply["imagined"]), key=lambda d: d["order"]):
            self.strings[drawn["player"]] += drawn["strings"]
        file = self._folder / f"pictures-{first // FRAMES_PER_FILE}.json"
        file.write_text(json.dumps({"true": truth, "shown": shown}), "utf-8")


def _picture(drawn: Mapping[str, Any]) -> dict[str, Any]:
    picture = {name: drawn[name] for name in ("width", "height", "ops")}
    if "pixels" in drawn:
        rows, columns = drawn["pixels_shape"]
        png = encode_png(base64.b64decode(drawn["pixels"]), rows, columns)
        picture["png"] = base64.b64encode(png).decode("ascii")
    return picture


def _about(stored: StoredGame, log: GameLog, viewers: list[int], replay: ReplayResult) -> dict[str, Any]:
    steps = stepped_frames(log)
    row = stored.row
    actions = {player: _plain(decode_actions(space, log.inputs_of(player))) for player, space in _seats(row)}
    return {
        "game_id": stored.game_id,
        "study": row["study"],
        "label": row["label"],
        "verdict": row["verdict"] or "running",
        "difference": None if replay.difference is None else str(replay.difference),
        "fps": row["fps"],
        "frames": replay.frames,
        "viewers": viewers,
        "people": {str(player): who for player, who in stored.people.items()},
        "actions": actions,
        "episodes": [
            [int(number), int(steps[log.episodes[steps] == number][0])]
            for number in sorted(set(log.episodes[steps].tolist()))
        ],
        "predicted": {viewer: log.peers[viewer].predicted.tolist() for viewer in viewers},
        "corrected_after": {viewer: log.peers[viewer].corrected_after.tolist() for viewer in viewers},
        "rtt": {viewer: _round_trips(stored, log, viewer) for viewer in viewers},
    }


def _seats(row: Mapping[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(row["codecs"]))


def _plain(actions: list[Any]) -> list[str]:
    return [str(np.asarray(action).tolist()) for action in actions]


def _round_trips(stored: StoredGame, log: GameLog, viewer: int) -> list[list[Any]]:
    """Return [frame, other player, round-trip time in milliseconds] for each second of one browser."""
    times = log.peers[viewer].confirmed_at_ms
    order = np.where(np.isnan(times), np.inf, times)
    trips = []
    for row in net_rows(stored, [batch for batch in stored.batches() if batch.peer == viewer]):
        if row["ms"] is not None and row["rtt_ms"] is not None and row["rtt_ms"] >= 0:
            frame = int(np.searchsorted(order, row["ms"]))
            trips.append([min(frame, len(order) - 1), row["peer"], row["rtt_ms"]])
    return trips
