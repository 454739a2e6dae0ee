"""Examples cut short: the same environment, scenes and drawing, in games that a test has time for."""

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
    """Make a study out of an example, with other values for its play scenes.

    Args:
        example: Folder and file under `examples/`: `"volley/study.py"`.
        folder: Where to put it; must not exist.
        relay_only: As of `coplay.Study`.
        changes: Arguments of `scenes.Play`, as plain Python values.

    Returns:
        The study file, in a folder of its own as the bundle wants it.
    """
    source = EXAMPLES / example
    shutil.copytree(source.parent, folder, ignore=shutil.ignore_patterns("__pycache__", "coplay-data"))
    # A bundle imports the module `study`: the example's own has to make room for this one.
    (folder / "study.py").unlink(missing_ok=True)
    shutil.copyfile(source, folder / "original.py")
    study = folder / "study.py"
    study.write_text(_SHORT.format(name=example, changes=changes, relay_only=relay_only), "utf-8")
    return study
