"""Films of recorded games: each frame is drawn in the replay, as a player's screen drew it."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from coplay.data.batches import STEPPED
from coplay.data.games.recording import Recording, read_recording
from coplay.errors import CoplayError, UsageError
from coplay.export.atomic_writing import partial_path
from coplay.export.films.canvas_svg import SvgCanvas
from coplay.export.optional_packages import require_package
from coplay.replay.replay import ReplayResult, replay_recording
from coplay.runtime import ReportProgress, silent

GIF_FPS: Final = 30
"""At most: a GIF counts in hundredths of a second, and viewers slow down what is faster."""
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
    """Replay a game and film it; what differs from the record is in the film up to where it does.

    Args:
        data: The data directory.
        game_id: Which game.
        gif: Where to put a GIF; None for none.
        mp4: Where to put an MP4 (H.264); None for none.
        episode: Which episode, from 0; None for the whole game with its countdowns.
        player: Whose screen.
        progress: Told how far it is.

    Returns:
        What the replay found.

    Raises:
        UsageError: There is no such player or episode; or what makes films is not installed.
        CoplayError: As `coplay.replay.replay.replay_game`.
    """
    ffmpeg = require_package("imageio_ffmpeg", "film").get_ffmpeg_exe()
    require_package("vl_convert", "film")
    recording = read_recording(data, game_id)
    players = recording.log.rewards.shape[1]
    if not 0 <= player < players:
        raise UsageError(f"the game has no player {player}", f"Its players are 0 to {players - 1}.")
    frames = frames_of(recording, episode)
    screen = SvgCanvas()
    with ExitStack() as films:
        takers = []
        if gif is not None:
            stride = int(np.ceil(recording.fps / GIF_FPS))
            fps = recording.fps / stride
            takers.append((stride, films.enter_context(_film(ffmpeg, gif, fps, _GIF))))
        if mp4 is not None:
            takers.append((1, films.enter_context(_film(ffmpeg, mp4, recording.fps, _MP4))))

        def watch(_first: int, reply: Mapping[str, Any]) -> None:
            for drawn in reply["drawn"]:
                picture = screen.png(drawn)
                for stride, pipe in takers:
                    if (drawn["frame"] - frames.start) % stride == 0:
                        pipe.write(picture)

        def asks(first: int, last: int) -> dict[str, Any]:
            return {"draw": list(range(max(first, frames.start), min(last, frames.stop)))}

        return replay_recording(data, recording, progress=progress, watch=watch, asks=asks, screens=[player])


def frames_of(recording: Recording, episode: int | None) -> range:
    """The frames before which the game is drawn; and after its last one, where the recording ends with it.

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
def _film(ffmpeg: str, path: Path, fps: float, words: tuple[str, ...]) -> Iterator[IO[bytes]]:
    """Takes PNG files one after another; the film is there when all were taken, or not at all."""
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
            with contextlib.suppress(BrokenPipeError):  # its exit code tells
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
