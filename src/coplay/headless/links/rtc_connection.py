"""One connection to one other player, by aiortc.

Whatever of it takes time runs in order, one step after the other, in a task of its own. Candidates are not
told one by one: aiortc's descriptions carry them all.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

# More than this waiting in the sender's buffer: the link is slower than the game, newer inputs matter more.
_MAX_BUFFERED: Final = 4096
# As browsers do (web/src/links/PeerLink.ts).
_WORTH_SENDING_MS: Final = 100
_READABLE = re.compile(r"(?:stuns?:[^\s?:]+(:\d+)?|turns?:[^\s?:]+(:\d+)?(\?transport=(udp|tcp))?)")

_Step = Callable[["RTCPeerConnection"], Awaitable[None]]


class ConnectionListener(Protocol):
    """What is told of a connection, until it is closed here."""

    def described(self, sdp: str) -> None:
        """Its description is made."""

    def opened(self) -> None:
        """Its channel is open."""

    def broke(self) -> None:
        """It failed, or its channel closed."""

    def heard(self, data: bytes | str) -> None:
        """Something came over the channel."""


class RtcConnection:
    """One RTCPeerConnection with its channel, and a task that does its steps in order.

    Args:
        told: Hears what becomes of it.
        servers: `RTCIceServer`s, as the `game` message has them.
        policy: `all`, or `relay` for nothing but relayed candidates.
    """

    def __init__(self, told: ConnectionListener, servers: Sequence[Mapping[str, Any]], policy: str) -> None:
        from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection

        self._told = told
        ice = [
            RTCIceServer(urls, server.get("username"), server.get("credential"))
            for server in servers
            if (urls := _readable(server["urls"]))
        ]
        self._rtc = RTCPeerConnection(RTCConfiguration(ice, RTCIceTransportPolicy(policy)))
        self._rtc.on("connectionstatechange", self._state_changed)
        # Both sides make the channel, so none has to wait for the other's.
        channel = self._rtc.createDataChannel(
            "game", ordered=False, maxPacketLifeTime=_WORTH_SENDING_MS, negotiated=True, id=0
        )
        channel.on("open", told.opened)
        channel.on("close", told.broke)
        channel.on("message", told.heard)
        self._channel = channel
        self._buffered = 0
        self._steps: asyncio.Queue[_Step] = asyncio.Queue()
        self._working = asyncio.ensure_future(self._work())

    def describe(self, offer: str) -> None:
        """Answer `offer`, or make one if it is empty."""

        async def step(rtc: "RTCPeerConnection") -> None:
            from aiortc import RTCSessionDescription

            if offer:
                await rtc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                await rtc.setLocalDescription(await rtc.createAnswer())
            else:
                await rtc.setLocalDescription(await rtc.createOffer())
            self._told.described(rtc.localDescription.sdp)

        self._steps.put_nowait(step)

    def accept(self, sdp: str) -> None:
        """Take the answer."""

        async def step(rtc: "RTCPeerConnection") -> None:
            from aiortc import RTCSessionDescription

            await rtc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

        self._steps.put_nowait(step)

    def add_candidates(self, candidates: Sequence[Mapping[str, Any]]) -> None:
        """Try these, once the description before them is taken."""

        async def step(rtc: "RTCPeerConnection") -> None:
            # A browser's own address may be a name of the local network, which takes a second to look up.
            await asyncio.gather(*(_add(rtc, each) for each in candidates), return_exceptions=True)

        self._steps.put_nowait(step)

    def send(self, data: bytes) -> None:
        """Send over the channel, or lose it: nothing is queued for a link that is closed or full."""
        if self._channel.readyState != "open":
            return
        waiting = self._channel.bufferedAmount
        self._buffered = max(self._buffered, waiting)
        if waiting <= _MAX_BUFFERED:
            self._channel.send(data)

    def take_buffered(self) -> int:
        """Most bytes that waited in the channel since the last call."""
        buffered, self._buffered = self._buffered, 0
        return buffered

    def way(self) -> str:
        """Whether the path in use goes through a TURN server: `turn`, or else `direct`."""
        pairs: Mapping[int, Any] = {}
        sctp: Any = self._rtc.sctp
        with contextlib.suppress(AttributeError):
            # aiortc has no public word for the pair of candidates in use.
            pairs = sctp.transport.transport._connection._nominated
        ends = [end for pair in pairs.values() for end in (pair.local_candidate, pair.remote_candidate)]
        return "turn" if any(end.type == "relay" for end in ends) else "direct"

    async def close(self) -> None:
        """Close it; it tells nothing any more."""
        self._channel.remove_all_listeners()
        self._rtc.remove_all_listeners()
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        await self._rtc.close()

    async def _work(self) -> None:
        while True:
            step = await self._steps.get()
            try:
                await step(self._rtc)
            except Exception:
                # Whatever a description of another's makes aiortc raise: this connection comes to nothing.
                self._told.broke()
                return

    def _state_changed(self) -> None:
        if self._rtc.connectionState in ("failed", "closed"):
            self._told.broke()


def _readable(urls: str | Sequence[str]) -> list[str]:
    """The addresses that aiortc can read; one with a literal of IPv6 would make it fail altogether."""
    return [url for url in ([urls] if isinstance(urls, str) else urls) if _READABLE.fullmatch(url)]


async def _add(rtc: "RTCPeerConnection", candidate: Mapping[str, Any]) -> None:
    from aiortc.sdp import candidate_from_sdp

    text = candidate.get("candidate")
    if not isinstance(text, str) or not text.startswith("candidate:"):
        return  # the end of candidates; more may come from the other's side of a relay
    parsed = candidate_from_sdp(text.removeprefix("candidate:"))
    parsed.sdpMid, parsed.sdpMLineIndex = candidate.get("sdpMid"), candidate.get("sdpMLineIndex")
    await rtc.addIceCandidate(parsed)
