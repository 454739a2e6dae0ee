"""The names that researchers rely on; removing one is a breaking change."""

import subprocess
import sys

import coplay


def test_public_names_are_these() -> None:
    assert sorted(coplay.__all__) == [
        "Canvas",
        "CoplayError",
        "Study",
        "keys",
        "load",
        "load_study",
        "scenes",
    ]
    assert all(hasattr(coplay, name) for name in coplay.__all__)


def test_importing_coplay_brings_no_server_along() -> None:
    # The same files are imported in every participant's browser, where none of these exist.
    unwanted = [
        "starlette",
        "sqlalchemy",
        "pyarrow",
        "click",
        "socketio",
        "uvicorn",
        "rich",
        "markdown_it",
        "pandas",
    ]
    program = (
        "import sys, coplay, coplay.study, coplay.data.batches\n"
        f"print(sorted(set({unwanted}) & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
