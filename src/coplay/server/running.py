"""Listens on a port, and runs an ASGI application under uvicorn until Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn

from coplay.errors import UsageError
from coplay.server.edge.sockets import MAX_MESSAGE_BYTES

GARBAGE_THRESHOLDS: Final = (50_000, 20, 100)
"""For Python's garbage collector, in objects.

Requests leave few cycles behind. With 500 open games, the default, a collection for every 700 objects, took
a quarter of the time, and paused the server for up to half a second.
"""


class PortInUseError(UsageError):
    """Raised when another program listens on the server's port."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a port. Call it before any slow work, so that a taken port is noticed.

    Args:
        host: An address or name of this machine.
        port: 0 for any free port.

    Raises:
        PortInUseError: Another program listens on the port.
        UsageError: The port cannot be used for another reason.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError) as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error}", "Check --host and --port.") from error
    # asyncio disables Nagle's algorithm only on sockets whose protocol is named, not 0.
    listening = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    try:
        # Otherwise a restart would have to wait until the connections of the last run have timed out.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} is in use by another program", "Choose another one: --port 8001."
            ) from error
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}", "Check --host and --port."
        ) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address of a listening socket for a browser: `http://HOST:PORT`."""
    host, port = listening.getsockname()[:2]
    if listening.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class Server(uvicorn.Server):
    """A uvicorn server that reports when it is ready, and that stops cleanly at one signal.

    Args:
        asgi: The ASGI application.
        on_ready: Called once requests are answered.
    """

    def __init__(self, asgi: Any, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                asgi,
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                ws="websockets-sansio",
                ws_max_size=2 * MAX_MESSAGE_BYTES,
                # Relayed inputs are tiny and latency matters, so that compression would only cost time.
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and report it."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop cleanly at Ctrl-C or SIGTERM. uvicorn itself would raise the signal again afterwards."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            # Not available outside the main thread (in tests) and on Windows.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(name, self._stop)
        yield

    def _stop(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def run(asgi: Any, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        asgi: The ASGI application.
        listening: From `listen`; closed afterwards.
        on_ready: Called once requests are answered.
    """
    # Imports, the study and the server live as long as the process, so that the collector can skip them.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    server = Server(asgi, on_ready)
    try:
        # The loop factory chooses uvloop where it is available.
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listening]))
    finally:
        listening.close()
