"""Crafted states: nodes that no honest peer would send, and a receiver for them."""

from coplay.envs.state.walk import StateWalk
from coplay.envs.transfer.exporting import ExportedGraph
from coplay.envs.transfer.factory import ObjectFactory
from coplay.envs.transfer.known_objects import KnownObjects
from coplay.envs.transfer.overlay import Overlay
from coplay.envs.transfer.wire import NodeRef


def export(**roots):
    """Return the graph of some roots, and what is known of them."""
    walk = StateWalk(roots)
    known = KnownObjects(roots)
    return ExportedGraph(walk.take(), known), known


def factory_for(own, known, *nodes):
    """Return a factory of nodes that come after those of the receiver's own graph, and their first index."""
    first = len(own.nodes)
    received = (*own.nodes, *nodes)
    overlay = Overlay(own.roots, received, own, known)
    return ObjectFactory(received, overlay, own, known, lambda tree: None), first


def through(*contents):
    """Return the node of something that cannot change but holds things."""
    return "through", ("builtins", "object"), None, contents


def chain(length, first):
    """Return nodes of tuples, each in the one before."""
    key = ("builtins", "tuple")
    return [
        *(("tuple", key, None, (NodeRef(first + n + 1),)) for n in range(length)),
        ("tuple", key, None, ()),
    ]
