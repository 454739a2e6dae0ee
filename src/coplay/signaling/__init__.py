"""The pure half of signaling: who may send which signal to whom, and tokens that say who someone is."""

from coplay.signaling.relay import Refused, Relayed, SignalRelay
from coplay.signaling.tokens import TokenError, TokenSigner

__all__ = ["Refused", "Relayed", "SignalRelay", "TokenError", "TokenSigner"]
