"""Stubs for modules that Python in WebAssembly lacks but environment libraries import.

`import gymnasium` imports `multiprocessing.synchronize`, which needs the C module `_multiprocessing`. A
browser has no processes, so nothing ever uses it: a module with the right names is enough.
"""

import sys
import types


class SemLock:
    """A lock with the name and the constant that `multiprocessing.synchronize` reads when it is imported."""

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        raise OSError("Process locks do not exist in WebAssembly, which has no processes.")


def sem_unlink(_name: str) -> None:
    """Do nothing, as no semaphore can exist."""


def install(platform: str = sys.platform) -> bool:
    """Make `import gymnasium` work in WebAssembly. Elsewhere, do nothing.

    Args:
        platform: The value of `sys.platform`.

    Returns:
        True if this call installed the stub.
    """
    if platform != "emscripten" or "_multiprocessing" in sys.modules:
        return False
    stub = types.ModuleType("_multiprocessing")
    vars(stub).update(SemLock=SemLock, sem_unlink=sem_unlink)
    sys.modules["_multiprocessing"] = stub
    return True
