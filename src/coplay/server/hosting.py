"""From a study file to a running server."""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coplay.data.database.store import Store
from coplay.runtime import build_bundle, ensure_runtime, keep_runtime, shown_progress
from coplay.server.app import Hosting, make_server
from coplay.server.games.play_setup import build_play_setups
from coplay.server.running import run
from coplay.signaling import IceServers
from coplay.study import load_study

LOG_FILE = "coplay.log"
STUN_VARIABLE = "COPLAY_STUN"
TURN_VARIABLE = "COPLAY_TURN"
TURN_SECRET_VARIABLE = "COPLAY_TURN_SECRET"  # noqa: S105 (its name)


def host_study(
    path: Path,
    listening: socket.socket,
    data: Path,
    on_ready: Callable[[str], None],
    ice: IceServers | None = None,
) -> None:
    """Serve a study until Ctrl-C or SIGTERM.

    Args:
        path: The study file.
        listening: From `coplay.server.running.listen`.
        data: The data directory.
        on_ready: Called once participants may come, with the key of those who may watch.
        ice: STUN and TURN servers; None for those of the environment, which are none if it names none.

    Raises:
        CoplayError: Something that the researcher can put right.
    """
    ice = ice_servers() if ice is None else ice
    study = load_study(path)
    play_setups = build_play_setups(study)
    with shown_progress() as progress:
        runtime = ensure_runtime(study.packages, progress=progress)
    bundle = build_bundle(path, runtime, exclude=(data,))
    with _open_store(data) as store:
        # A study can be replayed in ten years only with the very code and runtime that were served.
        store.keep_file("bundles", f"{bundle.sha256}.zip", bundle.data)
        store.keep_file("locks", f"{runtime.lock_hash}.json", runtime.lock.to_bytes())
        keep_runtime(store.directory, runtime)
        hosting = Hosting(study, path.resolve().parent, play_setups, runtime, bundle, store, ice=ice)
        server = make_server(hosting)
        run(server.asgi, listening, lambda: on_ready(server.watching.key()))


def ice_servers(stun: Sequence[str] = (), turn: Sequence[str] = ()) -> IceServers:
    """STUN and TURN servers, as options and the environment name them.

    The secret comes from the environment only: everyone on a machine can read its command lines.

    Args:
        stun: Addresses; none for those of `COPLAY_STUN`, separated by blanks.
        turn: Addresses; none for those of `COPLAY_TURN`.

    Raises:
        UsageError: An address is none, or there is TURN without `COPLAY_TURN_SECRET`.
    """
    named = os.environ.get
    return IceServers(
        tuple(stun) or tuple(named(STUN_VARIABLE, "").split()),
        tuple(turn) or tuple(named(TURN_VARIABLE, "").split()),
        named(TURN_SECRET_VARIABLE, ""),
    )


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
