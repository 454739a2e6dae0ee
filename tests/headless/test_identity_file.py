"""The file that makes a later process the same participant."""

from pathlib import Path

import pytest

from coplay.headless import PeerError
from coplay.headless.identity_file import IdentityFile


def test_identity_file_is_private_and_belongs_to_one_study_and_participant(tmp_path: Path) -> None:
    file = tmp_path / "ada"
    first = IdentityFile(file, "drifting", None)
    assert first.claims() == {}
    first.save("p-1", "secret")
    assert IdentityFile(file, "drifting", None).claims() == {"participant": "p-1", "secret": "secret"}
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]
    for study, participant in (("another", None), ("drifting", "p-2")):
        with pytest.raises(PeerError, match="is the identity of p-1 in the study drifting"):
            IdentityFile(file, study, participant)
    file.write_text("{}")
    with pytest.raises(PeerError, match="not an identity file"):
        IdentityFile(file, "drifting", None)
    with pytest.raises(PeerError, match="no folder"):
        IdentityFile(tmp_path / "nowhere" / "ada", "drifting", None)


def test_identity_without_a_file_is_not_written(tmp_path: Path) -> None:
    identity = IdentityFile(None, "drifting", "p-1")
    identity.save("p-1", "secret")
    assert identity.claims() == {"participant": "p-1"}
