import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "examples" / "volley")]


@pytest.fixture(scope="session", autouse=True)
def _tests_leave_nothing_tamed():
    yield
    from coplay.envs import taming

    taming.uninstall()
