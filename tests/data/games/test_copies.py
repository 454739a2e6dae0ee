from array import array

from coplay.data.batches import FrameBatch
from coplay.data.games.copies import InputCopies


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
    copies = InputCopies()
    assert copies.add(batch(0, 0, b"abc", [(0, 7)])) is None
    assert copies.add(batch(1, 1, b"bc", [(0, 7)])) is None
    assert (copies.first_difference, copies.checksum_difference) == (None, None)
    assert (copies.checksums_compared, copies.frames) == (1, 3)


def test_frames_count_as_shared_up_to_the_last_that_each_peer_uploaded() -> None:
    copies = InputCopies()
    assert copies.shared_frames([0, 1]) == 0
    copies.add(batch(0, 0, b"abcdefgh"))
    assert copies.shared_frames([0, 1]) == 0
    copies.add(batch(1, 0, b"ab"))
    copies.add(batch(1, 4, b"ef"))
    assert copies.shared_frames([0, 1]) == 6
    copies.add(batch(0, 10, b"k"))
    copies.add(batch(1, 10, b"k"))
    assert copies.shared_frames([0, 1]) == 8, "nobody has the frames in between"


def test_first_frame_that_differs_is_named_with_both_hashes() -> None:
    copies = InputCopies()
    copies.add(batch(2, 10, b"abcd"))
    difference = copies.add(batch(0, 11, b"bXdY"))
    assert difference is not None
    assert (difference.frame, difference.peer, difference.reference_peer) == (12, 0, 2)
    assert difference.sha256 != difference.reference_sha256
    assert copies.first_difference == 12


def test_batches_cut_differently_are_compared_frame_by_frame() -> None:
    copies = InputCopies()
    copies.add(batch(0, 0, b"ab"))
    copies.add(batch(0, 2, b"cd"))
    difference = copies.add(batch(1, 1, b"bcX"))
    assert difference is not None
    assert difference.frame == 3


def test_checksums_that_differ_are_a_difference() -> None:
    copies = InputCopies()
    copies.add(batch(0, 0, b"", [(30, 1), (60, 2)]))
    copies.add(batch(1, 0, b"", [(30, 1), (60, 3)]))
    assert copies.checksum_difference == 60


def test_reloaded_page_is_compared_with_the_page_before_and_is_not_another_copy() -> None:
    copies = InputCopies()
    copies.add(batch(0, 0, b"abcd", [(2, 7)]))
    assert copies.add(batch(0, 2, b"cdef", [(2, 7)])) is None
    assert (copies.checksums_compared, copies.frames) == (0, 6)
    assert copies.add(batch(1, 0, b"abcdef", [(2, 7)])) is None
    assert copies.checksums_compared == 1


def test_page_that_contradicts_the_page_before_it_is_a_difference_of_one_peer() -> None:
    copies = InputCopies()
    copies.add(batch(0, 0, b"abcd"))
    difference = copies.add(batch(0, 2, b"cX"))
    assert difference is not None
    assert (difference.frame, difference.peer, difference.reference_peer) == (3, 0, 0)


def test_frames_that_all_peers_uploaded_are_still_compared() -> None:
    copies = InputCopies()
    copies.add(batch(0, 0, b"ab"))
    copies.add(batch(1, 0, b"ab"))
    assert copies.add(batch(0, 1, b"X")) is not None


def test_batch_added_again_changes_nothing() -> None:
    copies = InputCopies()
    for _ in range(2):
        copies.add(batch(0, 5, b"ab", [(5, 1)]))
        copies.add(batch(1, 5, b"ab", [(5, 1)]))
    assert (copies.first_difference, copies.checksum_difference) == (None, None)
    assert (copies.checksums_compared, copies.frames) == (1, 7)


def test_batches_out_of_order_leave_a_gap_that_a_later_one_fills() -> None:
    copies = InputCopies()
    copies.add(batch(0, 4, b"ef"))
    copies.add(batch(1, 2, b"cdef"))
    copies.add(batch(0, 0, b"abcX"))
    assert copies.first_difference == 3
