"""Films of recorded games: a replay draws each frame as a player's screen drew it."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from coplay.data.batches import STEPPED
from coplay.data.games.recorded_game import Recording, read_recording
from coplay.errors import CoplayError, UsageError
from coplay.export.atomic_writing import partial_path
from coplay.export.films.canvas_svg import SvgCanvas
from coplay.export.optional_packages import require_package
from coplay.replay.replay import ReplayResult, replay_recording
from coplay.runtime import ReportProgress, silent

GIF_FPS: Final = 30
"""The maximum for a GIF, which counts in hundredths of a second: viewers slow faster ones down."""
_PALETTES: Final = (
    "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=bayer:bayer_scale=4"
)

_GIF: Final = ("-filter_complex", _PALETTES, "-f", "gif")
_MP4: Final = (
    *("-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"),
    *("-movflags", "+faststart", "-f", "mp4"),
)


def film_game(
    data: Path,
    game_id: str,
    *,
    gif: Path | None = None,
    mp4: Path | None = None,
    episode: int | None = None,
    player: int = 0,
    progress: ReportProgress = silent,
) -> ReplayResult:
    """Replay a game and film it; if the replay differs from the record, the film ends there.

    Args:
        data: The data directory.
        game_id: The id of the game.
        gif: The file of a GIF; None for no GIF.
        mp4: The file of an MP4 (H.264); None for no MP4.
        episode: The number of the episode, from 0; None for the whole game with its countdowns.
        player: The player whose screen is filmed.
        progress: Called with the current stage of the work, and its fraction.

    Returns:
        The result of the replay.

    Raises:
        UsageError: There is no such player or episode, or the packages that make films are not installed.
        CoplayError: As `coplay.replay.replay.replay_game`.
    """
    ffmpeg = require_package("imageio_ffmpeg", "film").get_ffmpeg_exe()
    require_package("vl_convert", "film")
    recording = read_recording(data, game_id)
    players = recording.log.rewards.shape[1]
    if not 0 <= player < players:
        raise UsageError(f"the game has no player {player}", f"Its players are 0 to {players - 1}.")
    frames = frames_of(recording, episode)
    canvas = SvgCanvas()
    with ExitStack() as films:
        outputs = []
        if gif is not None:
            stride = int(np.ceil(recording.fps / GIF_FPS))
            fps = recording.fps / stride
            outputs.append((stride, films.enter_context(_film_file(ffmpeg, gif, fps, _GIF))))
        if mp4 is not None:
            outputs.append((1, films.enter_context(_film_file(ffmpeg, mp4, recording.fps, _MP4))))

        def watch(_first: int, reply: Mapping[str, Any]) -> None:
            for drawn in reply["drawn"]:
                picture = canvas.png(drawn)
                for stride, pipe in outputs:
                    if (drawn["frame"] - frames.start) % stride == 0:
                        pipe.write(picture)

        def more_fields(first: int, last: int) -> dict[str, Any]:
            return {"draw": list(range(max(first, frames.start), min(last, frames.stop)))}

        return replay_recording(
            data, recording, progress=progress, watch=watch, more_fields=more_fields, screens=[player]
        )


def frames_of(recording: Recording, episode: int | None) -> range:
    """Return the frames of a film; each is drawn from the state before the frame.

    The state after the last frame is included if the recording ends there.

    Args:
        recording: The game.
        episode: The number of the episode; None for the whole game.

    Raises:
        UsageError: There is no such episode.
    """
    log, frames = recording.log, recording.frames
    if episode is None:
        return range(frames + 1)
    stepped = (log.has & (log.flags & STEPPED).any(axis=1) & (log.episodes == episode)).nonzero()[0]
    if not len(stepped) or stepped[0] >= frames:
        last = int(log.episodes[:frames].max())
        raise UsageError(f"the game has no episode {episode}", f"Its episodes are 0 to {last}.")
    first, end = int(stepped[0]), min(int(stepped[-1]) + 1, frames)
    return range(first, end + (end == frames))


@contextmanager
def _film_file(ffmpeg: str, path: Path, fps: float, words: tuple[str, ...]) -> Iterator[IO[bytes]]:
    """Start ffmpeg and provide its input, for PNG files; the film appears complete or not at all."""
    partial = partial_path(path)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (the program of imageio-ffmpeg)
            [
                *(ffmpeg, "-y", "-loglevel", "error"),
                *("-f", "image2pipe", "-c:v", "png", "-framerate", f"{fps:g}", "-i", "-"),
                *(*words, str(partial)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        assert process.stdin is not None  # noqa: S101 (a pipe)
        try:
            with contextlib.suppress(BrokenPipeError):  # its exit code says why
                yield process.stdin
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            if process.wait():
                log.seek(0)
                said = log.read().decode("utf-8", "replace").strip().splitlines()[-1:]
                raise CoplayError(
                    f"{path} could not be written ({' '.join(said)})",
                    "Is there room, and may you write there?",
                )
            partial.replace(path)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            partial.unlink(missing_ok=True)
