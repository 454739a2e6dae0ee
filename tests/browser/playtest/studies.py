"""Shortened examples: the same environment, scenes and drawing, with games short enough for a test."""

import shutil
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

_SHORT = '''"""{name}, with shorter games; everything else is the example's own."""

from dataclasses import replace

from original import study

from coplay import scenes

CHANGES = {changes!r}

study.relay_only = {relay_only}
study.scenes = [
    replace(scene, **CHANGES) if isinstance(scene, scenes.Play) else scene for scene in study.scenes
]
'''


def short_study(example: str, folder: Path, *, relay_only: bool = False, **changes: Any) -> Path:
    """Create a study from an example, with other arguments for its play scenes.

    Args:
        example: Folder and file under `examples/`: `"volley/study.py"`.
        folder: The folder of the new study; must not exist.
        relay_only: The argument of `coplay.Study`.
        changes: Arguments of `scenes.Play`, as plain Python values.

    Returns:
        The study file, in a separate folder, because the bundle contains the whole folder.
    """
    source = EXAMPLES / example
    shutil.copytree(source.parent, folder, ignore=shutil.ignore_patterns("__pycache__", "coplay-data"))
    # A bundle imports the module `study`, so the example's own `study.py` must not be there.
    (folder / "study.py").unlink(missing_ok=True)
    shutil.copyfile(source, folder / "original.py")
    study = folder / "study.py"
    study.write_text(_SHORT.format(name=example, changes=changes, relay_only=relay_only), "utf-8")
    return study
