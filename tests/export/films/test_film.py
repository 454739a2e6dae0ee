"""Films show what the players' screens showed, frame by frame."""

import base64
import io
import re
import subprocess
from array import array

import imageio_ffmpeg
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from coplay.cli import main
from coplay.data.games.recorded_game import read_recording
from coplay.export.films.canvas_svg import SvgCanvas
from coplay.export.films.film import frames_of
from coplay.export.png import encode_png
from coplay.study.canvas import Canvas

GAME = "0123456789abcdef0123"
ORANGE, BLUE = (230, 159, 0), (86, 180, 233)


def shown(path) -> np.ndarray:
    words = [
        "-loglevel",
        "error",
        "-i",
        str(path),
        "-fps_mode",
        "passthrough",
        "-f",
        "image2pipe",
        "-c:v",
        "ppm",
        "-",
    ]
    read = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words], capture_output=True, check=True)
    header, pictures = re.match(rb"P6\n(\d+) (\d+)\n255\n", read.stdout), []
    assert header is not None
    width, height = int(header[1]), int(header[2])
    size = len(header[0]) + 3 * width * height
    for start in range(len(header[0]), len(read.stdout), size):
        pictures.append(np.frombuffer(read.stdout, np.uint8, 3 * width * height, start))
    return np.stack(pictures).reshape(-1, height, width, 3)


def places(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    """The left edge of what has nearly this colour, from 0 to 1; NaN for nothing."""
    near = (np.abs(picture.astype(int) - color).sum(axis=2) < 60).nonzero()[1]
    return float(near.min()) / picture.shape[1] if len(near) else float("nan")


def film(data, *options: str):
    return CliRunner().invoke(main, ["replay", GAME, "--data", str(data), *options])


def test_drawn_episode_is_filmed_as_it_was_played(data, tmp_path):
    answer = film(data, "--gif", str(tmp_path / "a.gif"), "--mp4", str(tmp_path / "a.mp4"), "--episode", "1")
    assert answer.exit_code == 0, answer.stderr
    recording = read_recording(data, GAME)
    frames = frames_of(recording, 1)
    for name in ("a.gif", "a.mp4"):
        pictures = shown(tmp_path / name)
        assert len(pictures) == len(frames)
        # Every step moves by what was pressed: one unit of a world that is 100 wide.
        at = [places(picture, ORANGE) for picture in pictures]
        moves = [int(recording.log.inputs[frame, 0]) - 1 for frame in frames][:-1]
        found = np.diff(at) * 100
        seen = ~np.isnan(found)
        assert seen.sum() > 3
        assert np.allclose(found[seen], np.array(moves)[seen], atol=0.4)
    assert sorted(path.name for path in tmp_path.glob("*a.*")) == ["a.gif", "a.mp4"]


def test_environments_own_rendering_is_filmed(meeting, tmp_path):
    meeting.store(tmp_path / "d", scene=2)
    assert film(tmp_path / "d", "--mp4", str(tmp_path / "a.mp4"), "--episode", "0").exit_code == 0
    picture = shown(tmp_path / "a.mp4")[0]
    assert picture.shape == (172, 720, 3)
    assert places(picture, ORANGE) < 0.5 < places(picture, BLUE)


def test_film_ends_where_the_replay_differs(data, meeting, tmp_path):
    meeting.store(tmp_path / "d", seed=78)
    answer = film(tmp_path / "d", "--mp4", str(tmp_path / "a.mp4"))
    assert answer.exit_code == 1
    assert len(shown(tmp_path / "a.mp4")) == 1


@pytest.mark.parametrize(("option", "said"), [("--episode", "no episode 9"), ("--player", "no player 9")])
def test_what_is_not_in_the_game_is_refused(data, tmp_path, option, said):
    answer = film(data, "--gif", str(tmp_path / "a.gif"), option, "9")
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert list(tmp_path.iterdir()) == [data]


def test_folder_that_is_not_there_is_a_plain_error(data, tmp_path):
    answer = film(data, "--gif", str(tmp_path / "gone" / "a.gif"))
    assert answer.exit_code == 2
    assert "a.gif could not be written" in answer.stderr


def drawn(canvas: Canvas) -> dict:
    ops = base64.b64encode(canvas.ops().tobytes()).decode()
    picture = {"ops": ops, "strings": canvas.new_strings(), "width": canvas.size[0], "height": canvas.size[1]}
    if canvas.pixels is not None:
        picture |= {"pixels": base64.b64encode(canvas.pixels).decode(), "pixels_shape": canvas.pixels_shape}
    return picture


def test_every_operation_is_painted(tmp_path):
    canvas, painted = Canvas(), SvgCanvas()
    canvas.begin()
    canvas.view(40, 20)
    canvas.clear("white")
    canvas.rect(0, 0, 10, 10, "rgb(255, 0, 0)", radius=2)
    canvas.circle(15, 5, 5, "#00ff00")
    canvas.line(20, 5, 30, 5, "blue", 4)
    canvas.polygon([(30, 0), (40, 0), (40, 10)], "rgba(0, 0, 0, 0.5)")
    canvas.text(5, 15, "<&>", 8, "black", align="center", bold=True)
    canvas.image(20, 10, 20, 10, np.full((2, 4, 3), 77, np.uint8))
    canvas.sound("hit")
    picture = decoded(painted.png(drawn(canvas)))
    assert picture.shape == (360, 720, 3)
    for (x, y), color in {
        (5, 5): (255, 0, 0),
        (15, 5): (0, 255, 0),
        (25, 5): (0, 0, 255),
        (38, 3): (127, 127, 127),
        (30, 15): (77, 77, 77),
        (15, 15): (255, 255, 255),
    }.items():
        assert np.abs(picture[18 * y, 18 * x].astype(int) - color).max() <= 2, (x, y)
    assert (picture[200:340, :180] < 50).any()  # the text


def test_image_drawn_in_other_proportions_than_its_own_keeps_its_pixels():
    canvas = Canvas()
    canvas.view(20, 20)
    image = np.zeros((2, 5, 3), np.uint8)
    image[0, :, 0], image[1, :, 1] = range(50, 300, 50), 200
    canvas.image(0, 0, 20, 20, image)
    picture = decoded(SvgCanvas().png(drawn(canvas)))
    for column in range(5):
        x = 144 * column + 72
        assert (
            np.abs(picture[90, x].astype(int) - (50 * column + 50, 0, 0)).max() <= 10
        )  # smoothed between pixels
        assert np.abs(picture[630, x].astype(int) - (0, 200, 0)).max() <= 10  # smoothed between pixels


def test_strings_of_earlier_pictures_are_remembered():
    canvas, painted = Canvas(), SvgCanvas()
    for color in ("red", "blue", "red"):
        canvas.begin()
        canvas.clear(color)
        picture = decoded(painted.png(drawn(canvas)))
    assert picture[5, 5].tolist() == [255, 0, 0]


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_pixels_become_a_png_file():
    pixels = array("B", range(24)).tobytes()
    assert decoded(encode_png(pixels, 2, 4)).tobytes() == pixels
