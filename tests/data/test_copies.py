from array import array

from coplay.data.batches import FrameBatch
from coplay.data.copies import InputCopies


def batch(peer: int, first: int, inputs: bytes, checksums: list[tuple[int, int]] | None = None) -> FrameBatch:
    n = len(inputs)
    zeros = array("d", bytes(8 * n))
    return FrameBatch(
        0,
        peer,
        first,
        inputs,
        zeros,
        bytes(n),
        bytes(n),
        zeros,
        bytes(n),
        array("H", bytes(2 * n)),
        checksums or [],
    )


def test_equal_copies_have_no_difference() -> None:
    copies = InputCopies(2)
    assert copies.add(batch(0, 0, b"abc", [(0, 7)])) is None
    assert copies.add(batch(1, 1, b"bc", [(0, 7)])) is None
    assert (copies.difference, copies.checksums_compared, copies.frames) == (None, 1, 3)


def test_first_frame_that_differs_is_named_with_both_hashes() -> None:
    copies = InputCopies(3)
    copies.add(batch(2, 10, b"abcd"))
    difference = copies.add(batch(0, 11, b"bXdY"))
    assert difference is not None
    assert (difference.frame, difference.peer, difference.reference_peer) == (12, 0, 2)
    assert difference.sha256 != difference.reference_sha256
    assert copies.difference == 12


def test_batches_cut_differently_are_compared_frame_by_frame() -> None:
    copies = InputCopies(2)
    copies.add(batch(0, 0, b"ab"))
    copies.add(batch(0, 2, b"cd"))
    difference = copies.add(batch(1, 1, b"bcX"))
    assert difference is not None
    assert difference.frame == 3


def test_checksums_that_differ_are_a_difference() -> None:
    copies = InputCopies(2)
    copies.add(batch(0, 0, b"", [(30, 1), (60, 2)]))
    copies.add(batch(1, 0, b"", [(30, 1), (60, 3)]))
    assert copies.difference == 60
