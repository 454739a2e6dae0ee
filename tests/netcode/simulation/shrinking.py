"""Shrinks a failing scenario for as long as it fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from time import monotonic

from tests.netcode.simulation.network import Conditions
from tests.netcode.simulation.peer import BrokenInvariantError
from tests.netcode.simulation.playing import play
from tests.netcode.simulation.scenario import Fault, Link, Scenario

STILL = Conditions()
_SPAN = ("begin", "end")
_PEER_FIELDS = ("peer", "left")
_GROUP_FIELDS = ("near", "far")


def failure(scenario: Scenario) -> str:
    """Play a scenario; return the name of the failure, or an empty string."""
    try:
        play(scenario)
    except BrokenInvariantError as error:
        return error.invariant
    except Exception as error:
        # An exception of a session is a failure, too, named by the function that raised it.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = trace.tb_frame.f_code.co_name if trace is not None else ""
        return f"{type(error).__name__} in {place}"
    return ""


def shrink(scenario: Scenario, seconds: float = 20.0, fails: Callable[[Scenario], str] = failure) -> Scenario:
    """Return the smallest scenario found that fails as this one does.

    Greedy: takes the first simpler scenario that still fails, until none does or the time is over.

    Args:
        scenario: One that fails.
        seconds: How long to search, by this machine's clock.
        fails: Plays a scenario; returns the name of the failure, or an empty string.
    """
    deadline = monotonic() + seconds
    wanted = fails(scenario)
    if not wanted:
        return scenario
    seen = {scenario}
    again = True
    while again:
        again = False
        for simpler in simpler_ones(scenario):
            if monotonic() > deadline:
                return scenario
            if simpler in seen:
                continue
            seen.add(simpler)
            if fails(simpler) == wanted:
                scenario, again = simpler, True
                break
    return scenario


def simpler_ones(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios that are a little simpler, with the greatest simplifications first."""
    yield from _fewer_faults(scenario)
    for peer in reversed(range(scenario.peers)):
        if scenario.peers > 1:
            yield without_peer(scenario, peer)
    yield from _fewer_seats(scenario)
    yield from _shorter(scenario)
    yield from _milder_links(scenario)
    yield from _plainer(scenario)
    yield from _milder_faults(scenario)


def _fewer_faults(scenario: Scenario) -> Iterator[Scenario]:
    faults = scenario.faults
    half = len(faults) // 2
    if half > 1:
        yield scenario.but(faults=faults[half:])
        yield scenario.but(faults=faults[:half])
    for index in range(len(faults)):
        yield scenario.but(faults=faults[:index] + faults[index + 1 :])


def without_peer(scenario: Scenario, gone: int) -> Scenario:
    """Return the scenario without one peer and its faults; the others are renumbered."""

    def renumbered(peer: int) -> int:
        return peer - (peer > gone)

    def kept(values: tuple[float, ...]) -> tuple[float, ...]:
        return values[:gone] + values[gone + 1 :]

    seats = [seat for seat, owner in enumerate(scenario.owners) if owner != gone]
    return scenario.but(
        owners=tuple(renumbered(scenario.owners[seat]) for seat in seats),
        sizes=tuple(scenario.sizes[seat] for seat in seats),
        fates=tuple(scenario.fates[seat] for seat in seats) if scenario.fates else (),
        links=tuple(
            Link(renumbered(link.source), renumbered(link.target), link.conditions)
            for link in scenario.links
            if gone not in (link.source, link.target)
        ),
        clock_rates=kept(scenario.clock_rates),
        lateness=kept(scenario.lateness),
        starts=kept(scenario.starts),
        faults=tuple(
            fault for old in scenario.faults if (fault := _without(old, gone, renumbered)) is not None
        ),
    )


def _without(fault: Fault, gone: int, renumbered: Callable[[int], int]) -> Fault | None:
    changes: dict[str, object] = {}
    for part in fields(fault):
        value = getattr(fault, part.name)
        if part.name in _PEER_FIELDS:
            if value == gone:
                return None
            changes[part.name] = renumbered(value)
        elif part.name in _GROUP_FIELDS:
            group = tuple(renumbered(peer) for peer in value if peer != gone)
            if not group:
                return None
            changes[part.name] = group
    return replace(fault, **changes)  # type: ignore[arg-type]


def _fewer_seats(scenario: Scenario) -> Iterator[Scenario]:
    for seat, owner in enumerate(scenario.owners):
        if scenario.owners.count(owner) > 1:
            yield scenario.but(
                owners=scenario.owners[:seat] + scenario.owners[seat + 1 :],
                sizes=scenario.sizes[:seat] + scenario.sizes[seat + 1 :],
                fates=scenario.fates[:seat] + scenario.fates[seat + 1 :],
            )


def _shorter(scenario: Scenario) -> Iterator[Scenario]:
    frames = scenario.frames
    for fewer in (frames // 4, frames // 2, frames * 3 // 4, frames - 10, frames - 1):
        if 0 < fewer < frames:
            yield scenario.but(frames=fewer)


def _milder_links(scenario: Scenario) -> Iterator[Scenario]:
    links = scenario.links
    if links:
        yield scenario.but(links=(), conditions=STILL)
        for link in links[:2]:
            yield scenario.but(links=(), conditions=link.conditions)
        for index in range(len(links)):
            yield scenario.but(links=links[:index] + links[index + 1 :])
    for conditions in _milder(scenario.conditions):
        yield scenario.but(conditions=conditions)
    for index, link in enumerate(links):
        for conditions in _milder(link.conditions):
            yield scenario.but(
                links=(*links[:index], replace(link, conditions=conditions), *links[index + 1 :])
            )


def _milder(conditions: Conditions) -> Iterator[Conditions]:
    for part in fields(conditions):
        value, usual = getattr(conditions, part.name), getattr(STILL, part.name)
        if value != usual:
            yield replace(conditions, **{part.name: usual})
            if isinstance(value, float) and part.name in ("loss", "jitter", "latency"):
                milder = round(value / 2, 3)
                if milder < value:
                    yield replace(conditions, **{part.name: milder})


def _plainer(scenario: Scenario) -> Iterator[Scenario]:
    usual = Scenario()
    plain = {
        name: getattr(usual, name)
        for name in (
            *("chance_end", "inputs", "fps", "delay", "max_prediction", "checksum_interval", "prediction"),
            *("clock_rates", "lateness", "starts", "fates", "on_desync"),
        )
    }
    plain["sizes"] = (1,) * len(scenario.owners)
    plain["seed"] = 0
    for name, value in plain.items():
        if getattr(scenario, name) != value:
            yield scenario.but(**{name: value})


def _milder_faults(scenario: Scenario) -> Iterator[Scenario]:
    faults = scenario.faults
    for index, fault in enumerate(faults):
        for milder in _milder_versions(fault):
            yield scenario.but(faults=(*faults[:index], milder, *faults[index + 1 :]))


def _milder_versions(fault: Fault) -> Iterator[Fault]:
    names = {part.name for part in fields(fault)}
    if names.issuperset(_SPAN):
        begin, end = (getattr(fault, name) for name in _SPAN)
        if end - begin > 0.02:
            yield replace(fault, end=round((begin + end) / 2, 3))  # type: ignore[call-arg]
            yield replace(fault, begin=round((begin + end) / 2, 3))  # type: ignore[call-arg]
    for name in ("at", *_SPAN):
        if name in names:
            value = getattr(fault, name)
            for digits in (0, 1, 2):
                rounded = round(value, digits)
                other = replace(fault, **{name: rounded})
                in_order = not names.issuperset(_SPAN) or other.begin <= other.end  # type: ignore[union-attr]
                if rounded != value and in_order:
                    yield other
    if "seconds" in names and abs(fault.seconds) > 1:  # type: ignore[union-attr]
        yield replace(fault, seconds=fault.seconds / 10)  # type: ignore[union-attr,call-arg]
