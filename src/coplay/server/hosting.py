"""Serves a study file: loads the study, prepares its runtime, bundle and store, and runs its server."""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
        on_ready: Called once participants may connect, with the key for spectators.
        ice: STUN and TURN servers; None for those that environment variables name, if any.

    Raises:
        CoplayError: The study, its packages or the data directory cannot be used.
    """
    ice = ice_servers() if ice is None else ice
    study = load_study(path)
    play_setups = build_play_setups(study)
    with shown_progress() as progress:
        runtime = ensure_runtime(study.packages, progress=progress)
    bundle = build_bundle(path, runtime, exclude=(data,))
    with _open_store(data) as store:
        # A game can be replayed in ten years only with exactly the code and runtime that were served.
        store.keep_file("bundles", f"{bundle.sha256}.zip", bundle.data)
        store.keep_file("locks", f"{runtime.lock_hash}.json", runtime.lock.to_bytes())
        keep_runtime(store.directory, runtime)
        hosting = Hosting(study, path.resolve().parent, play_setups, runtime, bundle, store, ice=ice)
        server = make_server(hosting)
        run(server.asgi, listening, lambda: on_ready(server.watching.key()))


def ice_servers(stun: Sequence[str] = (), turn: Sequence[str] = ()) -> IceServers:
    """Return the STUN and TURN servers that options and environment variables name.

    The secret comes from an environment variable only, because every user of a machine can read its command
    lines.

    Args:
        stun: URLs; if empty, those of `COPLAY_STUN`, separated by blanks.
        turn: URLs; if empty, those of `COPLAY_TURN`.

    Raises:
        UsageError: A URL is malformed, or there is a TURN server without `COPLAY_TURN_SECRET`.
    """
    variable = os.environ.get
    return IceServers(
        tuple(stun) or tuple(variable(STUN_VARIABLE, "").split()),
        tuple(turn) or tuple(variable(TURN_VARIABLE, "").split()),
        variable(TURN_SECRET_VARIABLE, ""),
    )


@contextmanager
def _open_store(data: Path) -> Iterator[Store]:
    store = Store(data)
    handler = _add_log_file(data / LOG_FILE)
    try:
        yield store
    finally:
        store.close()
        logging.getLogger().removeHandler(handler)
        handler.close()


def _add_log_file(file: Path) -> logging.Handler:
    handler = logging.FileHandler(file, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    return handler
