"""The cache gives whole files or none."""

import hashlib
from pathlib import Path

import pytest

from coplay.runtime.fetching.file_cache import FileCache, default_cache_directory


def test_added_bytes_are_found_by_their_hash(store: FileCache) -> None:
    path, sha256 = store.add_bytes(b"content", "name")
    assert sha256 == hashlib.sha256(b"content").hexdigest()
    assert store.find(sha256, "name") == path
    assert path.read_bytes() == b"content"


def test_damaged_file_is_removed_and_not_found(store: FileCache) -> None:
    path, sha256 = store.add_bytes(b"content", "name")
    path.write_bytes(b"other")
    assert store.find(sha256, "name") is None
    assert not path.exists()


def test_missing_file_is_not_found(store: FileCache) -> None:
    assert store.find("0" * 64, "name") is None


def test_note_is_read_back(store: FileCache) -> None:
    store.write_note("key", {"a": [1]})
    assert store.read_note("key") == {"a": [1]}


def test_damaged_note_counts_as_none(store: FileCache) -> None:
    store.write_note("key", 1)
    (store.root / "notes" / "key.json").write_text("{")
    assert store.read_note("key") is None
    assert store.read_note("never") is None


def test_scratch_folder_is_removed(store: FileCache) -> None:
    with store.scratch() as folder:
        (folder / "file").write_text("x")
    assert not folder.exists()


def test_cache_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COPLAY_CACHE", str(tmp_path))
    assert default_cache_directory() == tmp_path
