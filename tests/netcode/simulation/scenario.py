"""A game and its faults as plain data, which can be drawn from a seed, saved, shrunk and replayed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

from tests.netcode.simulation.network import Conditions

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Partition:
    """Two sets of peers cannot reach each other."""

    begin: float
    end: float
    near: tuple[int, ...]
    far: tuple[int, ...]
    one_way: bool = False
    """True if only datagrams of the near peers are lost."""


@dataclass(frozen=True, slots=True)
class ClockJump:
    """A peer's clock jumps."""

    peer: int
    at: float
    seconds: float
    """Seconds forwards; negative for backwards."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """A peer is suspended for a while, like a sleeping tab; datagrams wait."""

    peer: int
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Death:
    """A peer vanishes without a goodbye."""

    peer: int
    at: float


@dataclass(frozen=True, slots=True)
class Goodbye:
    """A peer leaves and says so."""

    peer: int
    at: float


@dataclass(frozen=True, slots=True)
class Word:
    """The server reports to a peer that another one left; the report may be false."""

    peer: int
    at: float
    left: int
    certain: bool = True
    """False for a mere suspicion."""


@dataclass(frozen=True, slots=True)
class Reload:
    """A peer's process restarts."""

    peer: int
    begin: float
    end: float
    word_s: float = 0.0
    """Seconds between the reports to the other peers."""


@dataclass(frozen=True, slots=True)
class DelayChange:
    """A peer changes the input delay of its seats."""

    peer: int
    at: float
    delay: int


@dataclass(frozen=True, slots=True)
class Corruption:
    """One bit of a peer's state flips before a frame."""

    peer: int
    frame: int


Fault = Partition | ClockJump | Freeze | Death | Goodbye | Word | Reload | DelayChange | Corruption
FAULTS: dict[str, type[Fault]] = {
    kind.__name__: kind
    for kind in (Partition, ClockJump, Freeze, Death, Goodbye, Word, Reload, DelayChange, Corruption)
}


@dataclass(frozen=True, slots=True)
class Link:
    """The conditions of one direction that differ from the usual ones."""

    source: int
    target: int
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Scenario:
    """One game. Times are in seconds of the network's clock; peers are numbered from 0 without gaps."""

    kind: str = "plain"
    """The kind of trouble that it has, one of `KINDS`."""
    seed: int = 0
    """Seed of the network and of the inputs."""
    owners: tuple[int, ...] = (0, 1)
    """Per player, its peer."""
    frames: int = 120
    chance_end: bool = False
    """True if the game may end earlier, pseudo-randomly, depending on the inputs."""
    sizes: tuple[int, ...] = (1, 1)
    """Per player, the bytes of an input."""
    inputs: Literal["held", "unique", "idle"] = "held"
    fps: float = 60.0
    delay: int | None = 0
    max_prediction: int = 8
    checksum_interval: int = 30
    prediction: Literal["repeat", "default"] = "repeat"
    fates: tuple[Literal["end", "default", "bot"], ...] = ()
    """Per player; empty is `end` everywhere."""
    on_desync: Literal["resync", "end"] = "end"
    state_size: int = 0
    """Least size of an exported state, in bytes."""
    conditions: Conditions = field(default_factory=Conditions)
    """Conditions of every direction that `links` does not name."""
    links: tuple[Link, ...] = ()
    clock_rates: tuple[float, ...] = ()
    """Per peer; empty is 1 everywhere."""
    lateness: tuple[float, ...] = ()
    """Per peer, how late its timer fires at most, in seconds; empty is 0 everywhere."""
    starts: tuple[float, ...] = ()
    """Per peer, when its session is made; empty is 0 everywhere."""
    faults: tuple[Fault, ...] = ()

    @property
    def peers(self) -> int:
        """How many peers there are."""
        return max(self.owners) + 1

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return the faults of one kind."""
        return [fault for fault in self.faults if isinstance(fault, kind)]

    def but(self, **changes: Any) -> "Scenario":
        """Return this scenario with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """Return the scenario as JSON without default values."""
        return json.dumps(_plain(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Scenario":
        """Return the scenario of a JSON text."""
        values = _tuples(json.loads(text))
        if "conditions" in values:
            values["conditions"] = Conditions(**values["conditions"])
        values["links"] = tuple(
            Link(link["source"], link["target"], Conditions(**link.get("conditions", {})))
            for link in values.get("links", ())
        )
        values["faults"] = tuple(
            FAULTS[fault["fault"]](**{name: value for name, value in fault.items() if name != "fault"})
            for fault in values.get("faults", ())
        )
        return cls(**values)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        shown: dict[str, Any] = {}
        if type(value).__name__ in FAULTS:
            shown["fault"] = type(value).__name__
        usual = type(value)() if isinstance(value, Scenario | Conditions) else None
        for part in fields(value):
            content = getattr(value, part.name)
            if usual is None or content != getattr(usual, part.name):
                shown[part.name] = _plain(content)
        return shown
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _tuples(content) for name, content in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(_tuples(item) for item in value)
    return value
