"""The log of a game is merged from what each peer uploaded."""

from array import array

import numpy as np

from coplay.data.batches import FrameBatch
from coplay.data.games.game_log import GameLog, PeerLog

SIZES = (1, 2)
NAN = float("nan")


def batch(
    peer: int, first: int, frames: int, *, number: int = 0, fill: int = 0, **more: object
) -> FrameBatch:
    """Some frames of a game of two; `fill` is in every input, and the frame's number in every reward."""
    values: dict[str, object] = {
        "number": number,
        "peer": peer,
        "first_frame": first,
        "inputs": bytes([fill] * 3 * frames),
        "confirmed_at_ms": array("d", [10.0 * frame for frame in range(first, first + frames)]),
        "predicted": bytes(frames),
        "corrected_after": bytes(2 * frames),
        "rewards": array("d", [float(frame) for frame in range(first, first + frames) for _ in (0, 1)]),
        "flags": bytes([4] * 2 * frames),
        "episodes": array("H", [1] * frames),
    }
    return FrameBatch(**(values | more))  # type: ignore[arg-type]


def test_frame_is_taken_from_the_lowest_peer_that_has_it() -> None:
    log = GameLog([batch(1, 0, 4, fill=7), batch(0, 2, 3, fill=5)], SIZES)
    assert log.frames == 5
    assert log.source.tolist() == [1, 1, 0, 0, 0]
    assert log.inputs_of(0) == [b"\7", b"\7", b"\5", b"\5", b"\5"]
    assert log.inputs_of(1)[1:3] == [b"\7\7", b"\5\5"]
    assert log.rewards[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert log.episodes.tolist() == [1] * 5


def test_gap_that_nobody_uploaded_is_left_out() -> None:
    log = GameLog([batch(0, 0, 2), batch(0, 4, 1, number=1)], SIZES)
    assert log.has.tolist() == [True, True, False, False, True]
    assert len(log.inputs_of(0)) == 3
    assert log.confirmed_at_ms(0) == [0.0, 10.0, 40.0]


def test_later_batch_of_a_peer_wins_over_an_earlier_one() -> None:
    log = PeerLog([batch(0, 0, 2, fill=1), batch(0, 1, 2, number=2**20, fill=2)], 3, 2)
    assert log.inputs[:, 0].tolist() == [1, 2, 2]


def test_order_of_the_batches_does_not_matter() -> None:
    batches = [batch(0, 0, 2, fill=1), batch(0, 1, 2, number=2**20, fill=2)]
    assert GameLog(batches, SIZES).inputs_of(0) == GameLog(batches[::-1], SIZES).inputs_of(0)


def test_times_are_unknown_without_an_upload_of_the_players_own_peer() -> None:
    log = GameLog([batch(0, 0, 2)], SIZES)
    assert log.confirmed_at_ms(1) == [None, None]
    nowhere = batch(0, 0, 1, confirmed_at_ms=array("d", [NAN]))
    assert GameLog([nowhere], SIZES).confirmed_at_ms(0) == [None]


def test_guesses_are_those_of_other_peers_and_unknown_where_they_uploaded_nothing() -> None:
    own = batch(1, 0, 3, predicted=bytes([2, 2, 2]))
    other = batch(0, 0, 2, predicted=bytes([2, 0]), corrected_after=bytes([0, 3, 0, 0]))
    log = GameLog([own, other], SIZES)
    guessed, lasted = log.guesses(1, owner=1)
    assert guessed == [True, False, None]
    assert lasted == [3, 0, None]


def test_hash_is_of_the_uploaded_inputs_alone() -> None:
    whole = PeerLog([batch(0, 0, 2, fill=1)], 3, 2)
    with_gap = PeerLog([batch(0, 0, 1, fill=1), batch(0, 5, 1, fill=1)], 3, 2)
    assert whole.sha256() == with_gap.sha256()
    assert whole.sha256() != PeerLog([batch(0, 0, 2, fill=2)], 3, 2).sha256()


def test_game_without_uploads_is_empty() -> None:
    log = GameLog([], SIZES)
    assert (log.frames, log.peers, log.inputs_of(0)) == (0, {}, [])
    assert log.guesses(0, 0) == ([], [])
    assert not np.any(log.has)
