"""The lock says exactly what runs, in the same bytes everywhere."""

from pathlib import Path

from coplay.runtime import Runtime, RuntimeLock
from coplay.runtime.distribution import pinned_distribution


def _lock(files: dict[str, Path], load: list[str]) -> RuntimeLock:
    distribution = pinned_distribution()
    return RuntimeLock.of(distribution, distribution.wheels, files, load, compiled=True)


def test_lock_hash_does_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    files = {"a": tmp_path / "a", "b": tmp_path / "b"}
    assert _lock(files, ["a"]).lock_hash == _lock(dict(reversed(files.items())), ["a"]).lock_hash


def test_lock_hash_changes_with_a_byte_and_with_the_load_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    files = {"a": tmp_path / "a"}
    hashes = {_lock(files, ["a"]).lock_hash, _lock(files, []).lock_hash}
    (tmp_path / "a").write_bytes(b"b")
    hashes.add(_lock(files, ["a"]).lock_hash)
    assert len(hashes) == 3


def test_canonical_bytes_are_pinned() -> None:
    lock = RuntimeLock({"b": 1, "a": {"d": [], "c": "é"}})
    assert lock.to_bytes() == b'{"a":{"c":"\\u00e9","d":[]},"b":1}\n'
    assert lock.lock_hash == "995b7510629fc330e3efc5a9b4f0566801c6c89ac66086896e6c1d166ad4598c"


def test_lock_names_the_versions_in_the_browser(runtime: Runtime) -> None:
    assert runtime.lock.versions["gymnasium"] == "1.4.0"
    assert set(runtime.lock.load) <= set(runtime.lock.files)
