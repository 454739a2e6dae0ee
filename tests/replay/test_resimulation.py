"""The program of a replay, which runs in the browsers' Python; here in CPython."""

import base64
import json
import sys
from collections.abc import Iterator

import pytest

from coplay.browser.resimulation import answer

BEGIN = {
    "do": "begin",
    "modules": ["drifting_here"],
    "study": "drifting",
    "scene_index": 1,
    "seed": 5,
    "episodes": 1,
    "max_frames": 4,
    "countdown_frames": 1,
    "input_sizes": [1, 1],
}


@pytest.fixture
def _study(study_text, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "drifting_here.py").write_text(study_text)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("drifting_here", None)


def ask(**request):
    return json.loads(answer(json.dumps(request)))


@pytest.mark.usefixtures("_study")
def test_replies_do_not_depend_on_the_portions():
    inputs = bytes([0, 1, 2, 0, 1, 1, 2, 2, 0, 0])
    assert ask(**BEGIN)["agents"] == ["left", "right"]
    whole = ask(do="step", inputs=base64.b64encode(inputs).decode(), checksums=[0, 3, 5])
    assert [frame for frame, _ in whole["checksums"]] == [0, 3, 5]
    assert base64.b64decode(whole["flags"]) == bytes([0, 0, 4, 4, 4, 4, 4, 4, 6, 6])
    assert ask(**BEGIN)["agents"] == ["left", "right"]
    first = ask(do="step", inputs=base64.b64encode(inputs[:6]).decode(), checksums=[0])
    second = ask(do="step", inputs=base64.b64encode(inputs[6:]).decode(), checksums=[3, 5])
    assert first["checksums"] + second["checksums"] == whole["checksums"]
    rewards = base64.b64decode(first["rewards"]) + base64.b64decode(second["rewards"])
    assert rewards == base64.b64decode(whole["rewards"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scene_index": 2}, "Scene 2 of the study is not a play scene."),
        ({"scene_index": 9}, "Scene 9 of the study is not a play scene."),
        ({"input_sizes": [1]}, "The game's inputs have [1] bytes, the study's have [1, 1]."),
        ({"study": "other"}, "The stored code has no study named other."),
        ({"modules": ["no_such_module"]}, "The game stopped with ModuleNotFoundError"),
        ({"do": "dance"}, "The request 'dance' is unknown"),
    ],
)
@pytest.mark.usefixtures("_study")
def test_request_that_does_not_fit_gets_an_error_with_a_hint(change, said):
    reply = ask(**(BEGIN | change))
    assert reply["error"].startswith(said)
    assert reply["hint"]
