"""A runtime is whole, or is made whole again; and it runs."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.lacking import NO_NODE, do_without

from coplay.runtime import Runtime, ensure_runtime, find_node
from coplay.runtime.building import assembly
from coplay.runtime.fetching import sources
from coplay.runtime.fetching.package_clients import SourceFailedError

BOOT = """
import { readFileSync } from 'node:fs';
const folder = process.argv[1];
const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
const env = { PYTHONHASHSEED: '0', HOME: '/home/pyodide' };
const pyodide = await loadPyodide({ indexURL: folder, env });
const extractDir = pyodide.runPython('import site; site.getsitepackages()[0]');
for (const name of JSON.parse(process.argv[2])) {
  const bytes = readFileSync(`${folder}/${name}`);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  pyodide.unpackArchive(buffer, 'zip', { extractDir });
}
pyodide.runPython(`
import sys, types
stub = types.ModuleType('_multiprocessing')
stub.SemLock = type('SemLock', (), {'SEM_VALUE_MAX': 1})
stub.sem_unlink = None
sys.modules['_multiprocessing'] = stub
import gymnasium, numpy, pettingzoo
env = gymnasium.make('CartPole-v1')
env.reset(seed=1)
observation, *_ = env.step(1)
`);
console.log(pyodide.runPython('f"{numpy.__version__} {gymnasium.__version__} {observation.sum():.4f}"'));
"""


@pytest.fixture
def no_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network at all."""

    def refuse(*_: object, **__: object) -> Path:
        raise SourceFailedError("no network")

    monkeypatch.setattr(sources, "pip_download", refuse)
    monkeypatch.setattr(sources, "npm_pack", refuse)
    monkeypatch.setattr(sources.Sources, "_from_cdn", refuse)


def test_boot_info_names_what_the_worker_fetches(runtime: Runtime) -> None:
    info = runtime.boot_info()
    assert info["base"] == f"/runtime/{runtime.lock_hash}/"
    assert info["packages"] == list(runtime.wheel_names)
    assert [runtime.file(name).is_file() for name in info["packages"]] == [True, True]
    assert json.loads(json.dumps(info)) == info


def test_runtime_in_the_cache_needs_no_network(
    linked_cache: Path, no_sources: None, runtime: Runtime
) -> None:
    assert ensure_runtime(cache=linked_cache).lock_hash == runtime.lock_hash


def test_damaged_file_is_replaced_from_the_store(
    linked_cache: Path, no_sources: None, runtime: Runtime
) -> None:
    name = "pyodide.asm.mjs"
    damaged = linked_cache / "runtimes" / runtime.lock_hash / name
    damaged.unlink()
    damaged.write_bytes(b"damaged")
    again = ensure_runtime(cache=linked_cache)
    assert again.file(name).read_bytes() == runtime.file(name).read_bytes()


def test_file_damaged_everywhere_is_fetched_again(
    linked_cache: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pyodide.asm.mjs"
    whole = runtime.file(name).read_bytes()
    for path in linked_cache.rglob(name):
        path.unlink()
        path.write_bytes(b"damaged")
    fetched: list[str] = []

    def from_cdn(_: object, files: list[sources.PinnedFile]) -> dict[str, bytes]:
        fetched.extend(file.name for file in files)
        return {name: whole}

    monkeypatch.setattr(sources.Sources, "_from_cdn", from_cdn)
    assert ensure_runtime(cache=linked_cache).file(name).read_bytes() == whole
    assert fetched == [name]


def test_progress_tells_each_stage(linked_cache: Path, runtime: Runtime) -> None:
    (linked_cache / "runtimes" / runtime.lock_hash / assembly.MANIFEST_FILE).unlink()
    stages: list[str] = []
    ensure_runtime(cache=linked_cache, progress=lambda stage, _: stages.append(stage))
    assert "Compressing for transfer" in stages


def test_runtime_runs_an_environment(runtime: Runtime) -> None:
    if find_node() is None:
        do_without(NO_NODE)
    words = [str(find_node()), "--input-type=module", "-e", BOOT]
    words += [str(runtime.directory), json.dumps(runtime.wheel_names)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["2.4.3", "1.4.0", "-0.0508"], done.stderr[-2000:]
