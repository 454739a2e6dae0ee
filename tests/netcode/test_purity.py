"""The public names of the package, and the modules that it may import."""

import ast
import subprocess
import sys
from pathlib import Path

import coplay.netcode

ALLOWED = {"collections", "collections.abc", "dataclasses", "hashlib", "math", "typing", "zlib"}


def test_public_names_are_pinned() -> None:
    assert coplay.netcode.__all__ == [
        "Checksum",
        "CompareState",
        "Confirm",
        "Cut",
        "DatagramRejected",
        "DelayChosen",
        "DesyncExplained",
        "DesyncFound",
        "DesyncLocated",
        "Effect",
        "Event",
        "Examine",
        "ExportState",
        "Fate",
        "GameAgreed",
        "HelloMismatch",
        "ImportState",
        "LoadState",
        "PeerBack",
        "PeerLeft",
        "PeerReturned",
        "PeerStats",
        "PeerSuspected",
        "Predictor",
        "Rejoined",
        "Resynced",
        "RollbackSession",
        "Running",
        "SaveState",
        "SeatCut",
        "SendDatagram",
        "SessionConfig",
        "SessionStats",
        "Stalled",
        "StateDiffers",
        "Step",
        "StepAgain",
        "SyncTest",
    ]


def test_nothing_but_pure_modules_is_imported() -> None:
    paths = list(Path(coplay.netcode.__file__).parent.rglob("*.py"))
    assert len(paths) > 25, "all folders of the package are read"
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None
                names = [node.module]
            for name in names:
                assert name in ALLOWED or name.startswith(("coplay.netcode", "coplay.errors")), (path, name)


def test_import_needs_no_module_that_a_browser_lacks() -> None:
    code = (
        "import sys, coplay.netcode; "
        "print([name for name in ('numpy', 'asyncio', 'socket', 'random') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
