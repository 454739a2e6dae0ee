"""A server that is attacked while two people play on it."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.conftest import SETTINGS, WAIT_S, Lab, Page, duel_study, running
from tests.server.playing import frames, signal

from coplay.server.settings import Settings


@dataclass
class Siege:
    """Two people who play, on a server that is attacked."""

    lab: Lab
    one: Page
    two: Page
    first: dict[str, Any]
    second: dict[str, Any]
    texts: list[str]
    wires: list["Wire"] = field(default_factory=list)

    async def wire(self, auth: dict[str, Any] | None = None, **headers: str) -> "Wire":
        """A client that sends whatever it likes; greeted as a participant if `auth` is given."""
        url = self.lab.base.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        socket = await self.lab.http.ws_connect(url, headers=headers, autoping=True, max_msg_size=0)
        wire = Wire(socket, self.texts)
        self.wires.append(wire)
        assert (await wire.next()).startswith("0")
        if auth is not None:
            await socket.send_str("40" + json.dumps(auth))
            assert (await wire.next()).startswith("40"), "not let in"
        return wire

    async def stranger(self) -> "Wire":
        """The socket of a participant who is in no game, spoken by hand."""
        page = self.lab.page()
        await page.load()
        return await self.wire({"token": page.identity["token"]})

    async def post(self, path: str, **options: Any) -> tuple[int, Any]:
        async with self.lab.http.post(self.lab.base + path, **options) as response:
            text = await response.text()
            self.texts.append(text)
            return response.status, json.loads(text) if text.startswith("{") else text


class Wire:
    """A WebSocket, frame by frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, texts: list[str]) -> None:
        self.socket = socket
        self._texts = texts

    async def next(self) -> str:
        """The next text; empty when the server has closed."""
        while True:
            message = await self.socket.receive(timeout=WAIT_S)
            if message.type is aiohttp.WSMsgType.TEXT:
                if message.data[0] not in "12":
                    self._texts.append(message.data)
                    return str(message.data)
                if message.data == "2":
                    await self.socket.send_str("3")
            elif message.type is not aiohttp.WSMsgType.BINARY:
                return ""

    async def closed(self) -> bool:
        """Whether the server closes, whatever it says before."""
        while await self.next():
            pass
        return True


@asynccontextmanager
async def besieged(
    folder: Path, caplog: pytest.LogCaptureFixture, settings: Settings = SETTINGS, *, strict: bool = True
) -> AsyncIterator[Siege]:
    """A server, and two people who play on it before and after; `strict`: who hear nothing of it either."""
    async with running(duel_study(), folder, settings) as lab:
        siege = Siege(lab, *(await lab.pair()), [])
        heard = len(siege.two.received)
        yield siege
        for wire in siege.wires:
            await wire.socket.close()
        one, two, first = siege.one, siege.two, siege.first
        # The two play on as if nothing had been.
        assert await one.call("webrtc_signal", signal(first, 1, "bye", message_id="after")) == {"ok": True}
        await two.next("webrtc_signal", lambda heard: heard["payload"].get("message_id") == "after")
        await two.socket.emit("datagram", b"\x00after")
        assert await one.next("datagram", lambda data: data == b"\x01after")
        assert (await one.upload(first, frames(0)))[0] == 200
        unexpected = [(event, data) for event, data in two.received[heard:] if event != "webrtc_signal"]
        assert not strict or unexpected == []
        assert [game.seats.keys() for game in lab.server.coordinator.games.running()] == [{0, 1}]
        for text in siege.texts:
            assert "Traceback" not in text
            assert ".py" not in text
        assert [record.getMessage() for record in caplog.records if record.exc_info] == []
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
