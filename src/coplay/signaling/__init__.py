"""The rules of signaling, without I/O: who may send which signal to whom, signed tokens, TURN credentials."""

from coplay.signaling.datagram_relay import DatagramRelay, RelayedDatagram
from coplay.signaling.signal_relay import RefusedSignal, RelayedSignal, SignalRelay
from coplay.signaling.tokens import TokenError, TokenSigner
from coplay.signaling.turn import IceServers

__all__ = [
    "DatagramRelay",
    "IceServers",
    "RefusedSignal",
    "RelayedDatagram",
    "RelayedSignal",
    "SignalRelay",
    "TokenError",
    "TokenSigner",
]
