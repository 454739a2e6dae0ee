"""Stand-ins for what a WebAssembly Python lacks but environment libraries import.

`import gymnasium` reaches `multiprocessing.synchronize`, which wants the C module `_multiprocessing`. There
are no processes in a browser, so nothing ever uses what it imports: a module with the right names is enough.
"""

import sys
import types


class SemLock:
    """Has the name and the constant that `multiprocessing.synchronize` reads at import."""

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        raise OSError("there are no processes, so no process locks, in WebAssembly")


def sem_unlink(_name: str) -> None:
    """Nothing to unlink: no semaphore can have been made."""


def install(platform: str = sys.platform) -> bool:
    """Make `import gymnasium` work in WebAssembly; elsewhere do nothing.

    Args:
        platform: As `sys.platform` says.

    Returns:
        Whether the stand-in was put in place by this call.
    """
    if platform != "emscripten" or "_multiprocessing" in sys.modules:
        return False
    stub = types.ModuleType("_multiprocessing")
    vars(stub).update(SemLock=SemLock, sem_unlink=sem_unlink)
    sys.modules["_multiprocessing"] = stub
    return True
