import subprocess
import sys

import pytest

from coplay import envs


def test_importing_the_package_imports_no_library():
    program = (
        "import sys, coplay.envs\n"
        "loaded = {'numpy', 'gymnasium', 'pettingzoo'} & sys.modules.keys()\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_public_names_are_pinned():
    assert sorted(envs.__all__) == [
        "ActionCodec",
        "DeterminismReport",
        "Environment",
        "FrameRow",
        "Game",
        "SavedGame",
        "StepResult",
        "check_environment",
        "codec_for",
        "load_environment",
    ]
    assert all(hasattr(envs, name) for name in envs.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute"):
        _ = envs.nothing
