"""The snippets of the docs that analyse an export run on studies in which somebody left and nobody did."""

import re
from pathlib import Path
from typing import Any

import pytest

from coplay.data.database.store import Store
from coplay.export.tables.exporting import export_tables

DOCS = Path(__file__).resolve().parents[2] / "docs" / "howto"
LAST_FRAME = 40
FRAMES = 120


def snippets() -> dict[str, str]:
    """Find the Python blocks that load an export, by page and number."""
    return {
        f"{page.name}:{number}": block
        for page in sorted(DOCS.glob("*.md"))
        for number, block in enumerate(
            re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        )
        if "coplay.load(" in block
    }


def run(snippet: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(snippet, names)
    return names


@pytest.fixture
def nobody_left(data, tmp_path, monkeypatch):
    """The export `out` of a game that all played to its end, in the current folder."""
    export_tables(data, tmp_path / "out")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def somebody_left(meeting, tmp_path, monkeypatch):
    """The export `out` of two games, of which player 1 left the second and a bot played on."""
    meeting.store(tmp_path / "data")
    cuts = {"1": [{"last_frame": LAST_FRAME, "fate": "bot"}]}
    meeting.store(tmp_path / "data", "a" * 20, people=("eve", "bob"), left_early=[1], cuts=cuts)
    export_tables(tmp_path / "data", tmp_path / "out")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nobody_came(tmp_path, monkeypatch):
    """The export `out` of a study without people."""
    Store(tmp_path / "data").close()
    export_tables(tmp_path / "data", tmp_path / "out")
    monkeypatch.chdir(tmp_path)


def test_pages_have_snippets_that_load_an_export() -> None:
    assert {name.partition(":")[0] for name in snippets()} >= {"data.md", "when-people-leave.md"}


@pytest.mark.parametrize("snippet", snippets().values(), ids=snippets())
@pytest.mark.parametrize("study", ["nobody_left", "somebody_left", "nobody_came"])
def test_snippet_runs(request: pytest.FixtureRequest, study: str, snippet: str) -> None:
    request.getfixturevalue(study)
    run(snippet)


def own_inputs() -> Any:
    (snippet,) = (text for name, text in snippets().items() if name.startswith("when-people-leave.md"))
    return run(snippet)["own"]


@pytest.mark.usefixtures("nobody_left")
def test_all_inputs_are_a_persons_own_when_nobody_left() -> None:
    assert len(own_inputs()) == 2 * FRAMES


@pytest.mark.usefixtures("somebody_left")
def test_frames_after_a_persons_last_one_are_not_their_own() -> None:
    frames = own_inputs().groupby(["game_id", "player_id"])["frame"].agg(["size", "max"])
    assert frames.loc[("a" * 20, 1)].tolist() == [LAST_FRAME + 1, LAST_FRAME]
    others = frames.drop(index=("a" * 20, 1))
    assert others["size"].tolist() == [FRAMES] * 3
