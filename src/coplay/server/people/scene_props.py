"""What a page is told of a scene: texts become HTML here, with markup in them switched off."""

from pathlib import Path
from typing import assert_never

from markdown_it import MarkdownIt

from coplay.messages.to_page import FinishProps, InstructionsProps, LobbyProps, PlayProps
from coplay.messages.to_page import Scene as SceneData
from coplay.server.games.play_setup import PlaySetup
from coplay.study.loading import text_of
from coplay.study.scenes import Finish, Instructions, Lobby, Play, Scene


class SceneProps:
    """Turns scenes into what pages show.

    Args:
        folder: Where the study file is; its Markdown files are beside it.
        stages: The play scenes, made concrete.
    """

    def __init__(self, folder: Path, stages: dict[int, PlaySetup]) -> None:
        self._folder = folder
        self._stages = stages
        self._rendered: dict[str, str] = {}
        # HTML in a text is shown, not obeyed; links may only lead to web pages and mail (the renderer's own
        # check).
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def html(self, text: str) -> str:
        """A text of the study as HTML."""
        if text not in self._rendered:
            self._rendered[text] = str(self._markdown.render(text_of(text, self._folder)))
        return self._rendered[text]

    def props(self, index: int, scene: Scene) -> SceneData:
        """The message `scene`.

        Args:
            index: Where the participant is in the study.
            scene: What they see there.
        """
        prepare = min((play for play in self._stages if play >= index), default=None)
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
                    keys=self._stages[index].key_names,
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
