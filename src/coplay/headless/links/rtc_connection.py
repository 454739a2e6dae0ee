"""One aiortc connection to one other player, with its data channel.

Steps that take time run one after the other in a task of their own. Local candidates are not sent one by one,
because aiortc's descriptions contain them all.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

from coplay.messages.game import IceServer

_MAX_BUFFERED: Final = 4096
"""With more bytes in the send buffer, datagrams are dropped: the path is too slow, and newer inputs count."""
_LIFETIME_MS: Final = 100
"""The same as in browsers (web/src/links/PeerLink.ts): both sides of a negotiated channel must agree."""
_READABLE = re.compile(r"(?:stuns?:[^\s?:]+(:\d+)?|turns?:[^\s?:]+(:\d+)?(\?transport=(udp|tcp))?)")

_Step = Callable[["RTCPeerConnection"], Awaitable[None]]


class ConnectionListener(Protocol):
    """Callbacks of a connection; none comes after `RtcConnection.close`."""

    def description_made(self, sdp: str) -> None:
        """Process the local description."""

    def channel_opened(self) -> None:
        """Handle that the channel is open."""

    def connection_failed(self) -> None:
        """Handle that the connection failed, or that its channel closed."""

    def message_received(self, data: bytes | str) -> None:
        """Process a message from the channel."""


class RtcConnection:
    """An RTCPeerConnection with its channel, and a task that performs its steps in order.

    Args:
        listener: Takes the callbacks.
        servers: STUN and TURN servers, as in the `game` message.
        policy: `all`, or `relay` for relayed candidates only.
    """

    def __init__(self, listener: ConnectionListener, servers: Sequence[IceServer], policy: str) -> None:
        from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection

        self._listener = listener
        ice = [
            RTCIceServer(urls, server.username, server.credential)
            for server in servers
            if (urls := _readable(server.urls))
        ]
        self._rtc = RTCPeerConnection(RTCConfiguration(ice, RTCIceTransportPolicy(policy)))
        self._rtc.on("connectionstatechange", self._state_changed)
        # Both sides create the channel, so neither has to wait for the other's.
        channel = self._rtc.createDataChannel(
            "game", ordered=False, maxPacketLifeTime=_LIFETIME_MS, negotiated=True, id=0
        )
        channel.on("open", listener.channel_opened)
        channel.on("close", listener.connection_failed)
        channel.on("message", listener.message_received)
        self._channel = channel
        self._buffered = 0
        self._steps: asyncio.Queue[_Step] = asyncio.Queue()
        self._worker = asyncio.ensure_future(self._perform_steps())

    def describe(self, offer: str | None) -> None:
        """Answer `offer`, or make an offer if it is None; the listener gets the description."""

        async def step(rtc: "RTCPeerConnection") -> None:
            from aiortc import RTCSessionDescription

            if offer is None:
                await rtc.setLocalDescription(await rtc.createOffer())
            else:
                await rtc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                await rtc.setLocalDescription(await rtc.createAnswer())
            self._listener.description_made(rtc.localDescription.sdp)

        self._steps.put_nowait(step)

    def accept(self, sdp: str) -> None:
        """Set the other player's answer as the remote description."""

        async def step(rtc: "RTCPeerConnection") -> None:
            from aiortc import RTCSessionDescription

            await rtc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

        self._steps.put_nowait(step)

    def add_candidates(self, candidates: Sequence[Mapping[str, Any]]) -> None:
        """Add remote candidates, after the steps that were requested earlier."""

        async def step(rtc: "RTCPeerConnection") -> None:
            # Concurrently, because a browser hides its address behind a multicast DNS name, which may take a
            # second to resolve.
            await asyncio.gather(*(_add(rtc, each) for each in candidates), return_exceptions=True)

        self._steps.put_nowait(step)

    def send(self, data: bytes) -> None:
        """Send over the channel, or drop the data if the channel is not open or its buffer is full."""
        if self._channel.readyState != "open":
            return
        waiting = self._channel.bufferedAmount
        self._buffered = max(self._buffered, waiting)
        if waiting <= _MAX_BUFFERED:
            self._channel.send(data)

    def take_buffered(self) -> int:
        """Return the most bytes that waited in the channel since the last call."""
        buffered, self._buffered = self._buffered, 0
        return buffered

    def path(self) -> str:
        """Return `turn` if the path in use goes through a TURN server, else `direct`."""
        pairs: Mapping[int, Any] = {}
        sctp: Any = self._rtc.sctp
        with contextlib.suppress(AttributeError):
            # aiortc has no public name for the nominated pair of candidates.
            pairs = sctp.transport.transport._connection._nominated
        ends = [end for pair in pairs.values() for end in (pair.local_candidate, pair.remote_candidate)]
        return "turn" if any(end.type == "relay" for end in ends) else "direct"

    async def close(self) -> None:
        """Close the connection; the listener gets no more callbacks."""
        self._channel.remove_all_listeners()
        self._rtc.remove_all_listeners()
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        await self._rtc.close()

    async def _perform_steps(self) -> None:
        while True:
            step = await self._steps.get()
            try:
                await step(self._rtc)
            except Exception:  # noqa: BLE001 (a peer's malformed SDP makes aiortc raise almost anything)
                self._listener.connection_failed()
                return

    def _state_changed(self) -> None:
        if self._rtc.connectionState in ("failed", "closed"):
            self._listener.connection_failed()


def _readable(urls: Sequence[str]) -> list[str]:
    """Return the addresses that aiortc can parse: a literal IPv6 address makes it raise for all of them."""
    return [url for url in urls if _READABLE.fullmatch(url)]


async def _add(rtc: "RTCPeerConnection", candidate: Mapping[str, Any]) -> None:
    from aiortc.sdp import candidate_from_sdp

    text = candidate.get("candidate")
    if not isinstance(text, str) or not text.startswith("candidate:"):
        # The empty mark of the end: aiortc would then reject candidates, but relayed ones may still come.
        return
    parsed = candidate_from_sdp(text.removeprefix("candidate:"))
    parsed.sdpMid, parsed.sdpMLineIndex = candidate.get("sdpMid"), candidate.get("sdpMLineIndex")
    await rtc.addIceCandidate(parsed)
