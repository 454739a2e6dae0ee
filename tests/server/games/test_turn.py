"""TURN: credentials that a real coturn takes, and players who meet through it and learn no address."""

import asyncio
import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aioice
import pytest
from click.testing import CliRunner
from tests.lacking import NO_TURNSERVER, do_without
from tests.server.conftest import Lab, Page, duel_study, running
from tests.server.playing import SDP, frames, signal

from coplay.cli import main
from coplay.errors import UsageError
from coplay.server.games.coordinator import CREDENTIALS_S
from coplay.server.hosting import ice_servers
from coplay.signaling import IceServers

pytestmark = pytest.mark.anyio
SECRET = "a secret of these tests"


class Coturn:
    """A TURN server on a free loopback port."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ice(self) -> IceServers:
        url = f"127.0.0.1:{self.port}"
        return IceServers((f"stun:{url}",), (f"turn:{url}?transport=udp",), SECRET)


async def answers(port: int) -> bool:
    """Whether a STUN server is there (RFC 8489, 6)."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(("127.0.0.1", port))
        request = bytes.fromhex("000100002112a442") + os.urandom(12)
        with suppress(OSError, TimeoutError):
            await loop.sock_sendall(asking, request)
            return bool(await asyncio.wait_for(loop.sock_recv(asking, 1500), 0.2))
    return False


@pytest.fixture
async def coturn(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Coturn]:
    program = shutil.which("turnserver")
    if program is None:
        do_without(NO_TURNSERVER)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "listening-ip": "127.0.0.1",
        "relay-ip": "127.0.0.1",
        "listening-port": str(port),
        "realm": "coplay.test",
        "static-auth-secret": SECRET,
        "pidfile": str(tmp_path / "turnserver.pid"),
        "userdb": str(tmp_path / "turndb"),
        "log-file": "stdout",
    }
    flags = ("use-auth-secret", "no-tls", "no-dtls", "no-tcp", "no-cli", "allow-loopback-peers", "no-rfc5780")
    process = await asyncio.create_subprocess_exec(
        program,
        "-n",
        *(f"--{name}={value}" for name, value in options.items()),
        *(f"--{name}" for name in flags),
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not await answers(port):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield Coturn(port)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class IcePage:
    """One player's ICE agent, which may only use the TURN server, and tells its candidates by signals."""

    def __init__(self, page: Page, config: dict[str, Any]) -> None:
        self.page = page
        self.config = config
        self.other = 1 - config["player_id"]
        self.gathered: list[str] = []
        (turn,) = [server for server in config["ice_servers"] if "credential" in server]
        host, port = re.fullmatch(r"turn:(.+):(\d+)\?transport=udp", turn["urls"][0]).groups()  # type: ignore[union-attr]
        self.ice = aioice.Connection(
            ice_controlling=config["player_id"] == 0,
            turn_server=(host, int(port)),
            turn_username=turn["username"],
            turn_password=turn["credential"],
            use_ipv6=False,
            transport_policy=aioice.TransportPolicy.RELAY,
        )

    async def gather(self) -> None:
        await self.ice.gather_candidates()
        self.gathered = [f"candidate:{candidate.to_sdp()}" for candidate in self.ice.local_candidates]
        assert self.gathered, "no relayed candidate: the TURN server refused"

    async def tell(self) -> None:
        """Description and candidates, as a page sends them; and a host candidate, which ours would not."""
        kind = "offer" if self.config["player_id"] == 0 else "answer"
        ufrag = f"a=ice-ufrag:{self.ice.local_username}\r\na=ice-pwd:{self.ice.local_password}\r\n"
        told = signal(self.config, self.other, kind, sdp=SDP + ufrag)
        assert (await self.page.call("webrtc_signal", told))["ok"]
        leak = "candidate:9 1 udp 2122260223 192.0.2.77 5000 typ host"
        lines = [{"candidate": line, "sdpMid": "0"} for line in (leak, *self.gathered)]
        told = signal(self.config, self.other, "ice-candidate", candidate=[*lines, {"candidate": ""}])
        assert (await self.page.call("webrtc_signal", told))["ok"]

    async def hear(self) -> list[str]:
        sdp = (await self.page.next("webrtc_signal"))["payload"]["sdp"]
        self.ice.remote_username = re.search(r"a=ice-ufrag:(\S+)", sdp)[1]  # type: ignore[index]
        self.ice.remote_password = re.search(r"a=ice-pwd:(\S+)", sdp)[1]  # type: ignore[index]
        lines = [
            each["candidate"] for each in (await self.page.next("webrtc_signal"))["payload"]["candidate"]
        ]
        for line in lines:
            candidate = aioice.Candidate.from_sdp(line.removeprefix("candidate:")) if line else None
            await self.ice.add_remote_candidate(candidate)
        return [line for line in lines if line]


async def test_players_meet_through_turn_and_learn_no_address(tmp_path: Path, coturn: Coturn) -> None:
    study = duel_study()
    study.relay_only = True
    async with running(study, tmp_path / "study", ice=coturn.ice()) as lab:
        pages = await lab.pair()
        assert [config["ice_policy"] for config in pages[2:]] == ["relay", "relay"]
        sides = [IcePage(page, config) for page, config in zip(pages[:2], pages[2:], strict=True)]
        try:
            for side in sides:
                await side.gather()
                await side.tell()
            for side, other in zip(sides, reversed(sides), strict=True):
                heard = await side.hear()
                assert len(heard) == len(other.gathered)
                assert all("typ relay" in line and "192.0.2.77" not in line for line in heard)
                assert all("raddr 0.0.0.0" in line for line in heard if "raddr" in line)
            async with asyncio.timeout(20):
                await asyncio.gather(*(side.ice.connect() for side in sides))
                await sides[0].ice.send(b"from 0")
                assert await sides[1].ice.recv() == b"from 0"
                await sides[1].ice.send(b"from 1")
                assert await sides[0].ice.recv() == b"from 1"
        finally:
            for side in sides:
                await side.ice.close()


async def refused(coturn: Coturn, username: str, password: str) -> bool:
    ice = aioice.Connection(
        ice_controlling=True,
        turn_server=("127.0.0.1", coturn.port),
        turn_username=username,
        turn_password=password,
        use_ipv6=False,
        transport_policy=aioice.TransportPolicy.RELAY,
    )
    try:
        async with asyncio.timeout(10):
            await ice.gather_candidates()
        return not ice.local_candidates
    except Exception:
        return True
    finally:
        await ice.close()


async def test_credentials_that_are_forged_or_out_of_date_are_refused(coturn: Coturn) -> None:
    (_, good) = coturn.ice().for_player("g-0", time.time())
    assert not await refused(coturn, good["username"], good["credential"])
    expiry, _, _ = good["username"].partition(":")
    assert await refused(coturn, f"{int(expiry) + 3600}:g-0", good["credential"])
    assert await refused(coturn, good["username"], hashlib.sha1(secrets.token_bytes(8)).hexdigest())
    (_, old) = coturn.ice().for_player("g-0", time.time() - 3600)
    assert await refused(coturn, old["username"], old["credential"])


TURN = IceServers(("stun:stun.example.org",), ("turn:turn.example.org",), SECRET)


async def test_only_players_get_credentials_and_they_can_renew_them(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path, ice=TURN) as lab:
        stranger = await lab.page().to_lobby()
        assert await stranger.call("ice_servers", {}) == {"ok": False}
        assert "example.org" not in str(stranger.received)
        await stranger.call("leave", {})
        one, _, first, second = await lab.pair()
        stun, turn = first["ice_servers"]
        assert stun == {"urls": ["stun:stun.example.org"]}
        assert turn["username"].endswith(f":{first['game_id']}-0")
        assert second["ice_servers"][1]["username"].endswith("-1")
        renewed = await one.call("ice_servers", {})
        assert renewed["ok"]
        assert renewed["ice_servers"][1]["username"] >= turn["username"]
        assert await one.report(first, last_frame=1)
        await one.call("game_over", {"game_id": first["game_id"]})
        assert await one.call("ice_servers", {}) == {"ok": False}


async def test_game_is_told_again_before_its_credentials_end(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path, ice=TURN) as lab:
        one, two, first, second = await lab.pair()
        for page, config in ((one, first), (two, second)):  # they have begun
            assert (await page.upload(config, frames(config["player_id"])))[0] == 200
        lab.pass_time(CREDENTIALS_S / 2)
        assert (await one.next("game"))["game_id"] == first["game_id"]


async def test_no_server_is_named_by_default(lab: Lab) -> None:
    _, _, first, _ = await lab.pair()
    assert (first["ice_servers"], first["ice_policy"]) == ([], "all")


def test_servers_come_from_options_or_the_environment_and_the_secret_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("COPLAY_STUN", "COPLAY_TURN", "COPLAY_TURN_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert ice_servers() == IceServers()
    monkeypatch.setenv("COPLAY_STUN", "stun:a stun:b:3478")
    monkeypatch.setenv("COPLAY_TURN", "turn:a")
    with pytest.raises(UsageError, match="secret"):
        ice_servers()
    monkeypatch.setenv("COPLAY_TURN_SECRET", "north")
    assert ice_servers() == IceServers(("stun:a", "stun:b:3478"), ("turn:a",), "north")
    assert ice_servers(["stun:c"], ["turn:d"]) == IceServers(("stun:c",), ("turn:d",), "north")


def test_run_names_its_options_and_refuses_a_wrong_address(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["run", "--help"]).output
    assert "--stun" in shown
    assert "COPLAY_TURN_SECRET" in shown
    answer = CliRunner().invoke(main, ["run", "study.py", "--turn", "http://x"])
    assert answer.exit_code == 2
    assert "is not the URL of a TURN server" in answer.output
