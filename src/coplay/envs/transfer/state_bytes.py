"""A game's state as bytes, for a peer that lost its own state or differs from the others.

What is sent is what a snapshot holds: the graph of the environment's objects, and the game's own values. The
receiver has an equal environment and puts the contents into it. The bytes come from an untrusted peer:
nothing is unpickled, imported or evaluated, only classes that the receiver's environment uses are
instantiated, and a state whose checksum differs from the one that was sent is discarded.
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
    """Return a snapshot as bytes.

    Args:
        walk: The walk over the environment's state.
        snapshot: A snapshot that it took.
        extra: Plain values that belong to the state as well.

    Raises:
        StateTransferError: Part of the state cannot be sent, or it is too large.
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
    """Put an exported state into an environment.

    Args:
        walk: The walk over the state of an environment equal to the exporter's.
        data: Bytes from an untrusted peer.
        accept: Called with the plain values before anything is changed; raises if they are invalid.

    Returns:
        A snapshot of the new state, and the plain values.

    Raises:
        StateTransferError: The state cannot be used. Nothing has changed.
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
                raise StateTransferError("the received state has another version")
    except StateTransferError:
        raise
    except Exception as error:
        raise _unusable(error) from error
    before = walk.take()
    saved_objects = before.objects
    replaced = []
    try:
        known = KnownObjects(walk.roots)
        graph = GraphImporter(roots, nodes, ExportedGraph(before, known), known)
        for obj in graph.touched:
            kind = kind_of(type(obj))
            # Objects that were found by name are not in the snapshot, so they are saved separately.
            if kind.restore is not None and id(obj) not in saved_objects:
                replaced.append((kind.restore, obj, kind.save(obj, [])))
        graph.make()
        graph.fill()
        walk.adopt_plan(graph.objects(members), frozenset(tables))
        after = walk.take()
        if walk.checksum(after, extra) != checksum:
            raise StateTransferError("the received state does not have the checksum that it was sent with")
    except Exception as error:
        for restore, obj, saved in replaced:
            restore(obj, saved)
        walk.restore(before)
        if isinstance(error, StateTransferError):
            raise
        raise _unusable(error) from error
    return after, extra


def _unusable(error: Exception) -> StateTransferError:
    return StateTransferError(f"the received state cannot be used: {type(error).__name__}: {error}"[:300])
