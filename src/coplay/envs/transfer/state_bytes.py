"""A game's state as bytes, for a peer whose own is lost or has come apart.

What is sent is what a snapshot holds: the whole graph of the environment's objects, and the game's own
fields. The receiver has the same environment, and puts the contents into it. Bytes come from another
participant, so they are read with suspicion: nothing is unpickled, imported or evaluated, only classes that
the receiver's environment uses itself are made, and a state that does not come out with the checksum it was
sent with is not kept.
"""

from __future__ import annotations

from typing import Any, Final

from coplay.envs.kinds.registry import kind_of
from coplay.envs.state.snapshot import Snapshot
from coplay.envs.state.walk import StateWalk
from coplay.envs.transfer.exporting import ExportedGraph
from coplay.envs.transfer.importing import GraphImporter
from coplay.envs.transfer.known_objects import KnownObjects
from coplay.envs.transfer.wire import pack, unpack
from coplay.errors import StateTransferError

_VERSION: Final = 1


def export_state(walk: StateWalk, snapshot: Snapshot, extra: tuple[Any, ...]) -> bytes:
    """Give a snapshot as bytes.

    Args:
        walk: Of the environment.
        snapshot: One that it took.
        extra: Plain values that belong to the state as well.

    Raises:
        StateTransferError: Some of it cannot be sent.
    """
    graph = ExportedGraph(snapshot, KnownObjects(walk.roots))
    checksum = walk.checksum(snapshot, extra)
    return pack(
        (
            "coplay state",
            _VERSION,
            checksum,
            extra,
            graph.roots,
            graph.members,
            graph.tables,
            tuple(graph.nodes),
        )
    )


def import_state(walk: StateWalk, data: bytes, accept: Any) -> tuple[Snapshot, tuple[Any, ...]]:
    """Put a state that was exported into the environment of a walk.

    Args:
        walk: Of an environment like the exporter's.
        data: From anybody.
        accept: Called with the plain values before anything is touched; raises if they make no sense.

    Returns:
        The snapshot of what is now, and the plain values.

    Raises:
        StateTransferError: It cannot be used. Nothing has changed.
    """
    try:
        match unpack(data):
            case (
                "coplay state",
                1,
                int(checksum),
                tuple(extra),
                tuple(roots),
                tuple(members),
                tuple(tables),
                tuple(nodes),
            ):
                accept(extra)
            case _:
                raise StateTransferError("a state that was received is of another version")
    except StateTransferError:
        raise
    except Exception as error:
        raise _unusable(error) from error
    before = walk.take()
    walked = before.objects
    kept = []
    try:
        known = KnownObjects(walk.roots)
        graph = GraphImporter(roots, nodes, ExportedGraph(before, known), known)
        for obj in graph.touched:
            kind = kind_of(type(obj))
            if kind.restore is not None and id(obj) not in walked:
                kept.append((kind.restore, obj, kind.save(obj, [])))
        graph.make()
        graph.fill()
        walk.adopt_plan(graph.objects(members), frozenset(tables))
        after = walk.take()
        if walk.checksum(after, extra) != checksum:
            raise StateTransferError("a state that was received came out as another one")
    except Exception as error:
        for restore, obj, saved in kept:
            restore(obj, saved)
        walk.restore(before)
        if isinstance(error, StateTransferError):
            raise
        raise _unusable(error) from error
    return after, extra


def _unusable(error: Exception) -> StateTransferError:
    return StateTransferError(
        f"a state that was received cannot be used: {type(error).__name__}: {error}"[:300]
    )
