"""What the documents say about files is true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS += [*sorted((ROOT / "protocol").rglob("*.md")), ROOT / "web" / "README.md"]
FOLDERS = ("bench", "docs", "examples", "protocol", "requirements", "src", "tests", "tools", "web")
_PATH = re.compile(r"`((?:[\w.-]+/)+(?:[\w-]+\.(?:py|ts|js|mjs|md|json|css))?)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_IN_DATA = re.compile(r"^(bundles|locks|runtimes|static)/")


@pytest.fixture(scope="module")
def project() -> list[str]:
    """Every file and folder of the project; folders end in a slash."""
    places = [
        path
        for name in FOLDERS
        for path in [ROOT / name, *(ROOT / name).rglob("*")]
        if "node_modules" not in path.parts and "__pycache__" not in path.parts
    ]
    return [f"/{path.relative_to(ROOT).as_posix()}{'/' * path.is_dir()}" for path in places]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_named_files_exist(document: Path, project: list[str]) -> None:
    text = document.read_text("utf-8")
    named = [path for path in _PATH.findall(text) if not _IN_DATA.match(path)]
    missing = [path for path in named if not any(place.endswith(f"/{path}") for place in project)]
    missing += [path for path in _LINK.findall(text) if not (document.parent / path).exists()]
    assert missing == []
