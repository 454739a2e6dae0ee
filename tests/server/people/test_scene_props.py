"""What pages are sent to show a scene."""

from pathlib import Path

import pytest
from tests.server.conftest import duel_study

from coplay.messages.to_page import FinishProps, InstructionsProps, LobbyProps, PlayProps
from coplay.server.games.play_setup import build_play_setups
from coplay.server.people.scene_props import SceneProps


@pytest.fixture
def scene_props(tmp_path: Path) -> SceneProps:
    return SceneProps(tmp_path, build_play_setups(duel_study()))


def test_markdown_becomes_html_with_html_in_it_escaped(scene_props: SceneProps) -> None:
    assert scene_props.html("# Hello <b>you</b>") == "<h1>Hello &lt;b&gt;you&lt;/b&gt;</h1>\n"


def test_link_that_runs_code_is_no_link(scene_props: SceneProps) -> None:
    assert "<a" not in scene_props.html("[here](javascript:alert(1))")
    assert "<a" in scene_props.html("[here](https://example.org)")


def test_text_is_read_from_a_file_once(scene_props: SceneProps, tmp_path: Path) -> None:
    (tmp_path / "welcome.md").write_text("*Welcome*", "utf-8")
    assert scene_props.html("welcome.md") == "<p><em>Welcome</em></p>\n"
    (tmp_path / "welcome.md").unlink()
    assert scene_props.html("welcome.md") == "<p><em>Welcome</em></p>\n"


def test_each_scene_has_its_props(scene_props: SceneProps) -> None:
    welcome, lobby, play, finish = (
        scene_props.props(index, scene) for index, scene in enumerate(duel_study().scenes)
    )
    assert isinstance(welcome, InstructionsProps)
    assert (welcome.index, welcome.prepare, welcome.button) == (0, 2, "Go")
    assert isinstance(lobby, LobbyProps)
    assert (lobby.prepare, lobby.size, lobby.patience_s) == (2, 2, 60)
    assert isinstance(play, PlayProps)
    assert (play.prepare, play.play_scene, play.label) == (2, 2, "duel")
    assert tuple(play.keys) == ("ArrowLeft", "ArrowRight")
    assert isinstance(finish, FinishProps)
    assert (finish.index, finish.code) == (3, "DONE")


def test_page_after_the_last_game_prepares_none(scene_props: SceneProps) -> None:
    props = scene_props.props(3, duel_study().scenes[0])
    assert isinstance(props, InstructionsProps)
    assert props.prepare is None
