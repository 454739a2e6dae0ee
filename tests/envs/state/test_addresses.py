"""The addresses of a tuple's items are right, whichever way they are read."""

import sys

import numpy as np

from coplay.envs.state import addresses


def test_addresses_are_the_ids_of_the_items():
    items = (object(), None, "text", 10**20)
    for read in (addresses.addresses, addresses._by_numpy):
        assert np.frombuffer(read(items), np.uintp).tolist() == list(map(id, items))


def test_memory_is_not_read_without_ctypes(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert addresses._by_memory() is None


def test_memory_is_not_read_where_a_sample_comes_out_wrong(monkeypatch):
    monkeypatch.setattr(addresses, "_by_numpy", lambda items: b"?")
    assert addresses._by_memory() is None
