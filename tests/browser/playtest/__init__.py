"""Drives a study from outside, through its automation contract, in real browsers.

A `CoplayServer` serves a study as a researcher would; each `Participant` is a separate browser process. Both
use only the contract's interfaces: the command line, `<body data-scene data-phase>`, test ids and
`window.coplay`.
"""

from playtest.agreement import assert_agreed, assert_copies_agree
from playtest.breakage import Breakage
from playtest.chromium import Chromium, ChromiumFrame, ChromiumLauncher
from playtest.conditions import Conditions
from playtest.copies import Copies
from playtest.couple import arrive, finish, meet, reload_at_once
from playtest.export import Export, run_coplay
from playtest.firefox import Firefox, firefox_is_there
from playtest.headless import HeadlessPeer
from playtest.network import Machine, Network, NetworkError
from playtest.participant import Participant, WaitError
from playtest.server import CoplayServer, ServerError
from playtest.servers import Servers
from playtest.studies import short_study
from playtest.turn import TurnServer
from playtest.uploads import Uploads

__all__ = [
    "Breakage",
    "Chromium",
    "ChromiumFrame",
    "ChromiumLauncher",
    "Conditions",
    "Copies",
    "CoplayServer",
    "Export",
    "Firefox",
    "HeadlessPeer",
    "Machine",
    "Network",
    "NetworkError",
    "Participant",
    "ServerError",
    "Servers",
    "TurnServer",
    "Uploads",
    "WaitError",
    "arrive",
    "assert_agreed",
    "assert_copies_agree",
    "finish",
    "firefox_is_there",
    "meet",
    "reload_at_once",
    "run_coplay",
    "short_study",
]
