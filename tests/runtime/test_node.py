"""Node is found where it is, if it is new enough."""

import os
from pathlib import Path

import pytest

from coplay.runtime import node


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found before is asked again, and here the package is not installed."""
    monkeypatch.setattr(node, "find_node", node.find_node.__wrapped__)
    monkeypatch.setattr(node, "_shipped", lambda: None)


def _fake_node(folder: Path, version: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / "node"
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("version", "found"), [("24.1.0", True), ("20.0.0", True), ("18.19.0", False)])
def test_system_node_counts_when_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: bool
) -> None:
    _fake_node(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert (node.find_node() == tmp_path / "bin" / "node") is found


def test_no_node_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.find_node() is None
