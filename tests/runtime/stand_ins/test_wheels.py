"""What stands in for pygame can be imported and called, and lets nobody compute with it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coplay.runtime.stand_ins.wheels import MODULES, wheel_of

USES = """
import pygame
import pygame.freetype as fonts
from pygame import gfxdraw
from pygame.locals import QUIT

KEYS = {pygame.K_LEFT: 0, pygame.K_RIGHT: 1}

class Sprite(pygame.sprite.Sprite):
    def __init__(self, window: pygame.Surface | None = None):
        super().__init__()
        self.speed = 3

pygame.init()
pygame.display.set_mode((2, 2), pygame.RESIZABLE | pygame.DOUBLEBUF)
font = fonts.Font(None, 24)
screen = pygame.Surface([4, 4])
screen.fill((0, 0, 0))
assert screen is not None and screen != None and screen == screen
assert not isinstance(3, pygame.Rect)
assert Sprite().speed == 3
assert type(screen).__module__ == "pygame"
assert KEYS[pygame.K_RIGHT] == 1
"""


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    name, data = wheel_of("pygame-ce")
    (tmp_path / name).write_bytes(data)
    with zipfile.ZipFile(tmp_path / name) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_all_that_only_draws_is_let_through(unpacked: Path) -> None:
    done = run(unpacked, USES)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "use",
    [
        "if pygame.Rect(0, 0, 1, 1).colliderect(pygame.Rect(0, 0, 2, 2)): pass",
        "pygame.Rect(0, 0, 1, 1).x + 1",
        "float(pygame.math.Vector2(1, 0).x)",
        "pygame.time.get_ticks() - 1",
        "list(pygame.event.get())",
        "import numpy; numpy.array(pygame.surfarray.pixels3d(pygame.Surface((1, 1))))",
        "pygame.Rect(0, 0, 1, 1) == (0, 0, 1, 1)",
    ],
)
def test_no_value_is_made_up(unpacked: Path, use: str) -> None:
    done = run(unpacked, f"import pygame\n{use}")
    assert done.returncode == 1
    assert "RuntimeError: pygame." in done.stderr
    assert "list pygame in the study's packages" in done.stderr


def test_wheel_is_the_same_each_time() -> None:
    assert {project: wheel_of(project) for project in MODULES} == {
        project: wheel_of(project) for project in MODULES
    }
    assert wheel_of("pygame")[1] != wheel_of("pygame-ce")[1]
