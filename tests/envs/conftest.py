import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def _tests_leave_nothing_tamed():
    yield
    from coplay.envs import taming

    taming.uninstall()
