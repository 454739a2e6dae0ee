"""Converts scenes to the props that pages show. Markdown becomes HTML, and HTML within it is escaped."""

from pathlib import Path
from typing import assert_never

from markdown_it import MarkdownIt

from coplay.messages.to_page import FinishProps, InstructionsProps, LobbyProps, PlayProps
from coplay.messages.to_page import Scene as SceneData
from coplay.server.games.play_setup import PlaySetup
from coplay.study.loading import text_of
from coplay.study.scenes import Finish, Instructions, Lobby, Play, Scene


class SceneProps:
    """A converter of scenes to the props that pages show.

    Args:
        folder: Folder of the study file and its Markdown files.
        play_setups: The study's play scenes, by scene index.
    """

    def __init__(self, folder: Path, play_setups: dict[int, PlaySetup]) -> None:
        self._folder = folder
        self._play_setups = play_setups
        self._rendered: dict[str, str] = {}
        # HTML in a text is escaped; the renderer itself allows links only to web pages and mail addresses.
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def html(self, text: str) -> str:
        """Return a text of the study as HTML.

        Args:
            text: The name of a Markdown file in the study's folder, or Markdown itself.
        """
        if text not in self._rendered:
            self._rendered[text] = str(self._markdown.render(text_of(text, self._folder)))
        return self._rendered[text]

    def props(self, index: int, scene: Scene) -> SceneData:
        """Return the message `scene`, with which a page shows a scene.

        Args:
            index: Scene index of the participant.
            scene: The scene that they see; an ending may replace the scene at this index.
        """
        prepare = min((play for play in self._play_setups if play >= index), default=None)
        match scene:
            case Instructions():
                return InstructionsProps(
                    index=index,
                    prepare=prepare,
                    title=scene.title,
                    html=self.html(scene.text),
                    button=scene.button,
                )
            case Lobby():
                return LobbyProps(
                    index=index,
                    prepare=prepare,
                    title=scene.title,
                    size=scene.size,
                    patience_s=scene.patience_s,
                )
            case Play():
                return PlayProps(
                    index=index,
                    prepare=prepare,
                    label=scene.label,
                    title=scene.title,
                    controls_html=self.html(scene.controls),
                    scores=scene.scores,
                    keys=self._play_setups[index].key_names,
                    play_scene=index,
                )
            case Finish():
                return FinishProps(
                    index=index,
                    title=scene.title,
                    html=self.html(scene.text),
                    code=scene.code,
                    redirect=scene.redirect,
                )
            case _:
                assert_never(scene)
