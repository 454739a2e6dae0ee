import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# By a name of their own, as a study's environments are: what a game saves includes the modules of the
# environment's package, which would otherwise be `tests` with all that is in it.
sys.path[:0] = [str(ROOT / "tests" / "envs" / "samples"), str(ROOT / "examples" / "volley")]


@pytest.fixture(scope="session", autouse=True)
def _tests_leave_nothing_tamed():
    yield
    from coplay.envs import taming

    taming.uninstall()
