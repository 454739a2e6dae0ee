"""From a study file to a running server."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coplay.data.store import Store
from coplay.runtime import build_bundle, ensure_runtime, shown_progress
from coplay.server.app import Hosting, make_server
from coplay.server.running import run
from coplay.server.stages import build_stages
from coplay.study import load_study

LOG_FILE = "coplay.log"


def host_study(path: Path, listening: socket.socket, data: Path, on_ready: Callable[[], None]) -> None:
    """Serve a study until Ctrl-C or SIGTERM.

    Args:
        path: The study file.
        listening: From `coplay.server.running.listen`.
        data: The data directory.
        on_ready: Called once participants may come.

    Raises:
        CoplayError: Something that the researcher can put right.
    """
    study = load_study(path)
    stages = build_stages(study)
    with shown_progress() as progress:
        runtime = ensure_runtime(study.packages, progress=progress)
    bundle = build_bundle(path, runtime, exclude=(data,))
    with _open_store(data) as store:
        # A study can be replayed in ten years only with the very code and runtime that were served.
        store.keep_file("bundles", f"{bundle.sha256}.zip", bundle.data)
        store.keep_file("locks", f"{runtime.lock_hash}.json", runtime.lock.to_bytes())
        hosting = Hosting(study, path.resolve().parent, stages, runtime, bundle, store)
        run(make_server(hosting).asgi, listening, on_ready)


@contextmanager
def _open_store(data: Path) -> Iterator[Store]:
    store = Store(data)
    log = _log_to(data / LOG_FILE)
    try:
        yield store
    finally:
        store.close()
        logging.getLogger().removeHandler(log)
        log.close()


def _log_to(file: Path) -> Any:
    handler = logging.FileHandler(file, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    return handler
