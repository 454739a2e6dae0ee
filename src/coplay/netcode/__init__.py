"""Rollback netcode without I/O: inputs, datagrams and time go in, effects and events come out.

Everything revolves around `RollbackSession`. Nothing in this package knows a clock, a socket or a generator
of chance, so that the same files run in a browser, on a server and over a simulated network in tests.
"""

from coplay.netcode.config import Predictor, SessionConfig
from coplay.netcode.effects import Checksum, Confirm, Effect, LoadState, SaveState, SendDatagram, Step
from coplay.netcode.events import (
    DatagramRejected,
    DelayChosen,
    DesyncFound,
    Event,
    GameAgreed,
    HelloMismatch,
    PeerBack,
    PeerLeft,
    PeerSuspected,
    Running,
    Stalled,
)
from coplay.netcode.session import RollbackSession
from coplay.netcode.stats import PeerStats, SessionStats
from coplay.netcode.sync_test import StateDiffers, SyncTest

__all__ = [
    "Checksum",
    "Confirm",
    "DatagramRejected",
    "DelayChosen",
    "DesyncFound",
    "Effect",
    "Event",
    "GameAgreed",
    "HelloMismatch",
    "LoadState",
    "PeerBack",
    "PeerLeft",
    "PeerStats",
    "PeerSuspected",
    "Predictor",
    "RollbackSession",
    "Running",
    "SaveState",
    "SendDatagram",
    "SessionConfig",
    "SessionStats",
    "Stalled",
    "StateDiffers",
    "Step",
    "SyncTest",
]
