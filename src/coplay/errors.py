"""Every error that coplay raises on purpose.

CoplayError
├── UsageError               the researcher's input: a study file, an option, a path
│   ├── StudyError                a study file that cannot be used
│   └── UnusableEnvironmentError  an environment that cannot be run, or not peer to peer
├── RuntimeUnavailableError  the browser runtime is missing and cannot be fetched
├── NetcodeError
│   ├── UnknownPeerError     a caller named a peer that never joined
│   └── SessionMisuseError   a call in the wrong state, or out of order
├── StateTransferError       a game's state cannot be sent, or bytes are not a state
└── StoreError               the data store cannot be read or written

A message says what happened, to what; a hint says what to do.
"""


class CoplayError(Exception):
    """Base class of all errors that coplay raises on purpose.

    Args:
        message: What happened, and to what; one sentence.
        hint: What to do about it; one sentence, or empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CoplayError):
    """A study file, option, path or other input of the researcher that cannot be used."""


class StudyError(UsageError):
    """A study file that cannot be used."""


class UnusableEnvironmentError(UsageError):
    """An environment that cannot be run, or not peer to peer."""


class RuntimeUnavailableError(CoplayError):
    """The browser runtime is missing and cannot be fetched."""


class NetcodeError(CoplayError):
    """The netcode was misused by its caller; bytes from the network never raise."""


class UnknownPeerError(NetcodeError):
    """A caller named a peer that never joined."""


class SessionMisuseError(NetcodeError):
    """A call in the wrong state, or out of order."""


class StateTransferError(CoplayError):
    """A game's state that cannot be sent, or bytes that are not a state of this game."""


class StoreError(CoplayError):
    """The data store cannot be read or written."""
