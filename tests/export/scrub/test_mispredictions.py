"""Screens that showed a wrong prediction are found from the record."""

from array import array

import numpy as np

from coplay.data.batches import FrameBatch
from coplay.data.games.game_log import GameLog
from coplay.export.scrub.mispredictions import arrival_frames, mispredictions_of


def log_of(inputs: list[tuple[int, int]], predicted: list[bool], corrected: list[int]) -> GameLog:
    """A game of two, as player 0's browser uploaded it; what is said is about player 1's inputs."""
    frames = len(inputs)
    batch = FrameBatch(
        number=0,
        peer=0,
        first_frame=0,
        inputs=bytes(value for row in inputs for value in row),
        confirmed_at_ms=array("d", bytes(8 * frames)),
        predicted=bytes(2 * guess for guess in predicted),
        corrected_after=bytes(value for late in corrected for value in (0, late)),
        rewards=array("d", bytes(16 * frames)),
        flags=bytes(2 * frames),
        episodes=array("H", bytes(2 * frames)),
    )
    return GameLog([batch], [1, 1])


def test_inputs_come_in_order_and_wrong_guesses_say_when():
    came = arrival_frames(np.array([False, True, True, True, False]), np.array([0, 0, 3, 0, 0]))
    assert came.tolist() == [0, 2, 5, 5, 5]


def test_wrong_guess_is_what_was_last_known_until_the_input_came():
    # Player 1 goes from 7 to 8 in frame 2; that comes when frame 4 is shown.
    log = log_of([(1, 7), (2, 7), (3, 8), (4, 8), (5, 8)], [False, False, True, True, False], [0, 0, 2, 1, 0])
    found = mispredictions_of(log, 0, {0: 0, 1: 1}, [1, 1])
    assert [(guess.frame, guess.first, guess.inputs) for guess in found] == [
        (3, 2, bytes([3, 7])),
        (4, 2, bytes([3, 7, 4, 7])),
    ]


def test_right_guesses_and_own_seats_make_no_wrong_screen():
    right = log_of([(1, 7), (2, 7), (3, 7)], [False, True, True], [0, 0, 0])
    assert mispredictions_of(right, 0, {0: 0, 1: 1}, [1, 1]) == []
    own_bot = log_of([(1, 7), (2, 8)], [False, True], [0, 1])
    assert mispredictions_of(own_bot, 0, {0: 0, 1: 0}, [1, 1]) == []
    assert mispredictions_of(right, 1, {0: 0, 1: 1}, [1, 1]) == []  # never uploaded
