"""Long work tells each stage once where there is no terminal."""

import pytest

from coplay.runtime import shown_progress


def test_stage_is_one_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as report:
        report("Fetching [this]", None)
        report("Fetching [this]", 0.5)
        report("Compiling", None)
    assert capsys.readouterr().err == "Fetching [this] …\nCompiling …\n"
