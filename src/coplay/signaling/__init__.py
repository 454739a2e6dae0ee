"""The pure half of signaling: who may send which signal to whom, and tokens that say who someone is."""

from coplay.signaling.datagrams import DatagramRelay, Passed
from coplay.signaling.relay import Refused, Relayed, SignalRelay
from coplay.signaling.tokens import TokenError, TokenSigner
from coplay.signaling.turn import IceServers

__all__ = [
    "DatagramRelay",
    "IceServers",
    "Passed",
    "Refused",
    "Relayed",
    "SignalRelay",
    "TokenError",
    "TokenSigner",
]
