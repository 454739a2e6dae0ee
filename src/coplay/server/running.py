"""Runs a server until it is told to stop."""

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
"""Of Python's garbage collector, in objects. Requests leave few cycles behind. With 500 games open, looking
for them after every 700 objects took a quarter of the time, and at times stopped all for half a second.
"""


class PortInUseError(UsageError):
    """Another program listens where the server should."""


def listen(host: str, port: int) -> socket.socket:
    """Take a port, before any slow work begins.

    Args:
        host: Address or name of this machine.
        port: 0 for any free one.

    Raises:
        PortInUseError: Another program has it.
        UsageError: It cannot be had for another reason.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError) as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error}", "Check --host and --port.") from error
    # With its protocol named, asyncio switches off Nagle's delay on every connection; without, it does not.
    listening = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    try:
        # So that a restart need not wait for the connections of the former run to time out.
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
    """Where a browser finds it: `http://HOST:PORT`."""
    host, port = listening.getsockname()[:2]
    if listening.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn, saying when it is ready, and stopping without a second signal.

    Args:
        asgi: What to serve.
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
                # Inputs are tiny and must not wait for a compressor.
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop cleanly at Ctrl-C or SIGTERM; uvicorn would raise the signal again afterwards."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            # Outside the main thread (in tests), and on Windows, there is no such handler.
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
        asgi: What to serve.
        listening: From `listen`; closed afterwards.
        on_ready: Called once requests are answered.
    """
    # What there is by now stays: imports, the study, the server. It need not be looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    server = Server(asgi, on_ready)
    try:
        # uvloop, on the systems that it is made for.
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listening]))
    finally:
        listening.close()
