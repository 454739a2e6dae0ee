"""The writers of seats, and where the inputs of a peer that left end."""

from tests.netcode.simulation import configure

from coplay.netcode.config import Fate
from coplay.netcode.input_queue import NO_FRAME, InputQueue
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.seats import NOBODY, Cut, Seats


def three_peers(fate: Fate = "end") -> tuple[list[InputQueue], list[RemotePeer], Seats]:
    """Peer 0's view of a game of three."""
    queues = [InputQueue(player, b"-") for player in range(3)]
    remotes = [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (1, 2)]
    return queues, remotes, Seats(configure(0, (0, 1, 2), fates=(fate,) * 3), queues)


def hold(queues: list[InputQueue], *lasts: int) -> None:
    for queue, last in zip(queues, lasts, strict=True):
        queue.add_local(last, b"x")


def test_acknowledged_frame_is_the_minimum_over_all_reports() -> None:
    queues, remotes, seats = three_peers()
    hold(queues, 9, 8, 7)
    remotes[0].last = [6, 8, 5]
    remotes[1].last = [9, 4, 7]
    assert seats.acknowledged_frame(remotes) == 4


def test_acknowledged_frame_without_peers_is_the_last_local_one() -> None:
    queues, _, seats = three_peers()
    hold(queues, 5, 6, 7)
    assert seats.acknowledged_frame([]) == 5


def test_leave_settles_only_when_all_remaining_peers_report_it_and_the_same_frame() -> None:
    queues, remotes, seats = three_peers()
    hold(queues, 9, 8, 7)
    remotes[0].last, remotes[1].last = [9, 8, 5], [0, 0, 0]
    seats.orphan(remotes[1])
    remaining = remotes[:1]
    assert seats.acknowledged_frame(remaining) == 5
    assert seats.settle(remaining) == ([], NO_FRAME)
    remotes[0].last[2] = 7
    assert seats.settle(remaining) == ([], NO_FRAME)
    remotes[0].left_players = 0b100
    assert seats.settle(remaining) == ([Cut(2, 7, "end")], NO_FRAME)
    assert seats.truncated_at == 7
    assert seats.settle(remaining) == ([], NO_FRAME)


def test_leave_of_all_other_peers_settles_immediately() -> None:
    queues, remotes, seats = three_peers()
    hold(queues, 9, 8, 7)
    for remote in remotes:
        seats.orphan(remote)
    assert [cut.player for cut in seats.settle([])[0]] == [1, 2]
    assert seats.truncated_at == 7
    assert seats.acknowledged_frame([]) == 7


def test_without_leaves_nothing_is_truncated() -> None:
    _, remotes, seats = three_peers()
    assert seats.settle(remotes) == ([], NO_FRAME)
    assert seats.truncated_at == NO_FRAME


def test_default_fills_all_later_frames_and_names_the_first_other_prediction() -> None:
    queues, remotes, seats = three_peers("default")
    hold(queues, 9, 8, 7)
    assert [queues[2].predict(frame) for frame in (8, 9)] == [b"x", b"x"]
    remotes[0].last, remotes[0].left_players = [9, 8, 7], 0b100
    seats.orphan(remotes[1])
    assert seats.settle(remotes[:1]) == ([Cut(2, 7, "default")], 8)
    assert queues[2].input_at(7) == b"x"
    assert queues[2].input_at(8) == queues[2].input_at(7 + 128) == b"-"
    assert queues[2].last_given == 7
    assert seats.writers[2] == NOBODY
    assert seats.acknowledged_frame(remotes[:1]) == 8


def test_lowest_remaining_peer_writes_once_all_others_have_settled() -> None:
    queues, remotes, seats = three_peers("bot")
    hold(queues, 9, 8, 7)
    remotes[0].last, remotes[0].left_players = [9, 8, 7], 0b100
    seats.orphan(remotes[1])
    seats.settle(remotes[:1])
    assert seats.writers[2] == 0
    assert seats.take_over(remotes[:1]) == []
    remotes[0].settled_players = 0b100
    assert seats.take_over(remotes[:1]) == [queues[2]]
    assert seats.take_over(remotes[:1]) == []


def test_host_that_leaves_too_orphans_the_seat_again_but_the_cut_stays() -> None:
    queues = [InputQueue(player, b"-") for player in range(3)]
    remotes = [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (0, 1)]
    seats = Seats(configure(2, (0, 1, 2), fates=("bot",) * 3), queues)
    hold(queues, 9, 8, 7)
    remotes[0].last, remotes[0].left_players = [9, 8, 7], 0b010
    seats.orphan(remotes[1])
    seats.settle(remotes[:1])
    assert seats.writers[1] == 0
    queues[1].add_local(12, b"y")
    seats.orphan(remotes[0])
    assert seats.orphans == 0b011
    cuts, _ = seats.settle([])
    assert [cut.player for cut in cuts] == [0]
    assert seats.cuts[1] == Cut(1, 8, "bot")
    assert seats.writers == [2, 2, 2]
    assert seats.leaves_before(9) == [(1, 8)]
