"""The byte format of trees: whatever comes in is a tree or an error."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.envs.transfer import wire
from coplay.envs.transfer.wire import NodeRef, pack, unpack
from coplay.errors import StateTransferError


@settings(deadline=None, derandomize=True, report_multiple_bugs=False, max_examples=100)
@given(
    value=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary()
        ),
        lambda inner: st.lists(inner, max_size=4).map(tuple),
        max_leaves=20,
    )
)
def test_trees_come_back_bit_for_bit(value):
    assert repr(unpack(pack(value))) == repr(value)


def test_references_and_repeated_texts_come_back():
    tree = unpack(pack((NodeRef(300), "again", "again", "other", "again")))
    assert tree[0].index == 300
    assert tree[1:] == ("again", "again", "other", "again")


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (b"", "ends too early"),
        (b"\x03\x05\x01", "ends too early"),
        (b"\x09\x05\x00", "ends too early"),
        (b"\x00\x00", "something follows it"),
        (b"\x0b", "no tag 11"),
        (b"\x03\xff\xff\xff\xff\xff\x01", "a length has no end"),
        (b"\x03\x81\x80\x04" + bytes(70_000), "a number is too large"),
        (b"\x07\x00", "a text is missing"),
        (b"\x06\x01\xff", "not UTF-8"),
        (b"\x09\x01" * 20 + b"\x00", "nested too deeply"),
    ],
)
def test_malformed_tree_is_refused_with_the_reason(plain, reason):
    with pytest.raises(StateTransferError, match=reason):
        unpack(zlib.compress(plain))


@pytest.mark.parametrize("data", [b"", b"no zlib", zlib.compress(b"\0")[:-1], zlib.compress(b"\0") + b"x"])
def test_bytes_that_are_no_compressed_tree_are_refused(data):
    with pytest.raises(StateTransferError, match="cannot be read"):
        unpack(data)


def test_tree_of_too_many_values_is_refused_by_both_sides(monkeypatch):
    data = pack((None,) * 50)
    monkeypatch.setattr(wire, "MAX_VALUES", 20)
    with pytest.raises(StateTransferError, match="too large to be sent"):
        pack((None,) * 50)
    with pytest.raises(StateTransferError, match="too many values"):
        unpack(data)


def test_tree_that_is_nested_too_deeply_is_not_sent():
    tree = ()
    for _ in range(wire.MAX_DEPTH + 1):
        tree = (tree,)
    with pytest.raises(StateTransferError, match="nested too deeply"):
        pack(tree)


def test_tree_holds_plain_values_only():
    with pytest.raises(TypeError, match="cannot hold a list"):
        pack(([],))
