"""The port, and how quickly an answer leaves it."""

import socket
import subprocess
import sys

import pytest

from coplay.errors import UsageError
from coplay.server.running import GARBAGE_THRESHOLDS, PortInUseError, address_of, listen


def test_free_port_is_named_in_the_address() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert address_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_port_in_use_is_told_apart() -> None:
    with listen("127.0.0.1", 0) as listening, pytest.raises(PortInUseError):
        listen("127.0.0.1", listening.getsockname()[1])


def test_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(UsageError):
        listen("192.0.2.1", 0)


def test_name_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(UsageError):
        listen("no.such.host.invalid", 0)


def test_answers_are_sent_without_nagles_delay() -> None:
    # asyncio sets TCP_NODELAY only on sockets that say they are TCP: 40 ms an answer hang on it.
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


SERVED = """
import gc, os, signal
from coplay.server.running import listen, run

async def answer(scope, receive, send):
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})

def ready():
    print(gc.get_threshold(), gc.get_freeze_count() > 10_000)
    os.kill(os.getpid(), signal.SIGTERM)

run(answer, listen("127.0.0.1", 0), ready)
"""


def test_garbage_is_looked_for_rarely_and_not_among_what_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVED], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == f"{GARBAGE_THRESHOLDS} True"
