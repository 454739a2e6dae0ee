import subprocess
import sys

import pytest

from coplay.envs import wasm_stubs


def test_stub_makes_gymnasium_importable_without_multiprocessing():
    program = (
        "import sys\n"
        "sys.modules['_multiprocessing'] = None\n"
        "del sys.modules['_multiprocessing']\n"
        "from coplay.envs import wasm_stubs\n"
        "assert wasm_stubs.install('emscripten')\n"
        "assert not wasm_stubs.install('emscripten')\n"
        "import gymnasium, multiprocessing.synchronize\n"
        "assert sys.modules['_multiprocessing'].SemLock is wasm_stubs.SemLock\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_elsewhere_nothing_is_stubbed():
    assert not wasm_stubs.install("linux")


def test_process_locks_cannot_be_made():
    with pytest.raises(OSError, match="no processes"):
        wasm_stubs.SemLock()


def test_stub_is_installed_once_and_only_in_webassembly(monkeypatch):
    monkeypatch.delitem(sys.modules, "_multiprocessing", raising=False)
    assert wasm_stubs.install("emscripten")
    stub = sys.modules["_multiprocessing"]
    assert stub.SemLock.SEM_VALUE_MAX == 2**31 - 1
    stub.sem_unlink("name")
    assert not wasm_stubs.install("emscripten")
    assert sys.modules["_multiprocessing"] is stub
    monkeypatch.delitem(sys.modules, "_multiprocessing")
