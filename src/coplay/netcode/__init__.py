"""Rollback netcode without I/O: inputs, datagrams and time go in, effects and events come out.

Everything revolves around `RollbackSession`. Nothing in this package uses a clock, a socket or a random
generator, so the same files run in a browser, on a server and over a simulated network in tests.
"""

from coplay.netcode.config import Fate, Predictor, SessionConfig
from coplay.netcode.effects import (
    Checksum,
    CompareState,
    Confirm,
    Effect,
    Examine,
    ExportState,
    ImportState,
    LoadState,
    SaveState,
    SendDatagram,
    Step,
    StepAgain,
)
from coplay.netcode.events import (
    DatagramRejected,
    DelayChosen,
    DesyncExplained,
    DesyncFound,
    DesyncLocated,
    Event,
    GameAgreed,
    HelloMismatch,
    PeerBack,
    PeerLeft,
    PeerReturned,
    PeerSuspected,
    Rejoined,
    Resynced,
    Running,
    SeatCut,
    Stalled,
)
from coplay.netcode.peers.seats import Cut
from coplay.netcode.session import RollbackSession
from coplay.netcode.stats import PeerStats, SessionStats
from coplay.netcode.sync_test import StateDiffers, SyncTest

__all__ = [
    "Checksum",
    "CompareState",
    "Confirm",
    "Cut",
    "DatagramRejected",
    "DelayChosen",
    "DesyncExplained",
    "DesyncFound",
    "DesyncLocated",
    "Effect",
    "Event",
    "Examine",
    "ExportState",
    "Fate",
    "GameAgreed",
    "HelloMismatch",
    "ImportState",
    "LoadState",
    "PeerBack",
    "PeerLeft",
    "PeerReturned",
    "PeerStats",
    "PeerSuspected",
    "Predictor",
    "Rejoined",
    "Resynced",
    "RollbackSession",
    "Running",
    "SaveState",
    "SeatCut",
    "SendDatagram",
    "SessionConfig",
    "SessionStats",
    "Stalled",
    "StateDiffers",
    "Step",
    "StepAgain",
    "SyncTest",
]
