"""Puts the examples' folders on the path, as `coplay run` puts a study's folder there."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"

for _folder in ("volley", "overcooked", "starter"):
    if str(EXAMPLES / _folder) not in sys.path:
        sys.path.append(str(EXAMPLES / _folder))
