"""Measures every figure that the README quotes, in real browsers: `python -m bench`."""

import sys
from pathlib import Path

# Browsers are driven by the same package that the tests use.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))
