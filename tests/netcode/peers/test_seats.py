"""Who writes which seat, and where a leaver's inputs end."""

from tests.netcode.simulation import configure

from coplay.netcode.config import Fate
from coplay.netcode.input_queue import NO_FRAME, InputQueue
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.peers.seats import NOBODY, Cut, Seats


def three_peers(fate: Fate = "end") -> tuple[list[InputQueue], list[RemotePeer], Seats]:
    """Peer 0's view of a game of three."""
    queues = [InputQueue(player, b"-") for player in range(3)]
    links = [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (1, 2)]
    return queues, links, Seats(configure(0, (0, 1, 2), fates=(fate,) * 3), queues)


def hold(queues: list[InputQueue], *lasts: int) -> None:
    for queue, last in zip(queues, lasts, strict=True):
        queue.give(last, b"x")


def test_agreed_frame_is_the_minimum_over_all_reports() -> None:
    queues, links, seats = three_peers()
    hold(queues, 9, 8, 7)
    links[0].last = [6, 8, 5]
    links[1].last = [9, 4, 7]
    assert seats.agreed(links) == 4


def test_agreed_frame_without_peers_is_what_is_here() -> None:
    queues, _, seats = three_peers()
    hold(queues, 5, 6, 7)
    assert seats.agreed([]) == 5


def test_leave_settles_only_when_all_that_remain_report_it_and_the_same_frame() -> None:
    queues, links, seats = three_peers()
    hold(queues, 9, 8, 7)
    links[0].last, links[1].last = [9, 8, 5], [0, 0, 0]
    seats.leave(links[1])
    remaining = links[:1]
    assert seats.agreed(remaining) == 5
    assert seats.settle(remaining) == ([], NO_FRAME)
    links[0].last[2] = 7
    assert seats.settle(remaining) == ([], NO_FRAME)
    links[0].left_players = 0b100
    assert seats.settle(remaining) == ([Cut(2, 7, "end")], NO_FRAME)
    assert seats.truncated_at == 7
    assert seats.settle(remaining) == ([], NO_FRAME)


def test_leave_of_everyone_settles_at_once() -> None:
    queues, links, seats = three_peers()
    hold(queues, 9, 8, 7)
    for link in links:
        seats.leave(link)
    assert [cut.player for cut in seats.settle([])[0]] == [1, 2]
    assert seats.truncated_at == 7
    assert seats.agreed([]) == 7


def test_nobody_left_truncates_nothing() -> None:
    _, links, seats = three_peers()
    assert seats.settle(links) == ([], NO_FRAME)
    assert seats.truncated_at == NO_FRAME


def test_default_is_known_for_ever_and_the_first_other_guess_is_named() -> None:
    queues, links, seats = three_peers("default")
    hold(queues, 9, 8, 7)
    assert [queues[2].predict(frame) for frame in (8, 9)] == [b"x", b"x"]
    links[0].last, links[0].left_players = [9, 8, 7], 0b100
    seats.leave(links[1])
    assert seats.settle(links[:1]) == ([Cut(2, 7, "default")], 8)
    assert queues[2].input_at(7) == b"x"
    assert queues[2].input_at(8) == queues[2].input_at(7 + 128) == b"-"
    assert queues[2].held == 7
    assert seats.writers[2] == NOBODY
    assert seats.agreed(links[:1]) == 8


def test_lowest_remaining_peer_writes_once_all_others_have_settled() -> None:
    queues, links, seats = three_peers("bot")
    hold(queues, 9, 8, 7)
    links[0].last, links[0].left_players = [9, 8, 7], 0b100
    seats.leave(links[1])
    seats.settle(links[:1])
    assert seats.writers[2] == 0
    assert seats.begin_hosting(links[:1]) == []
    links[0].settled_players = 0b100
    assert seats.begin_hosting(links[:1]) == [queues[2]]
    assert seats.begin_hosting(links[:1]) == []


def test_host_that_leaves_too_orphans_the_seat_again_but_the_cut_stays() -> None:
    queues = [InputQueue(player, b"-") for player in range(3)]
    links = [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (0, 1)]
    seats = Seats(configure(2, (0, 1, 2), fates=("bot",) * 3), queues)
    hold(queues, 9, 8, 7)
    links[0].last, links[0].left_players = [9, 8, 7], 0b010
    seats.leave(links[1])
    seats.settle(links[:1])
    assert seats.writers[1] == 0
    queues[1].give(12, b"y")
    seats.leave(links[0])
    assert seats.orphans == 0b011
    news, _ = seats.settle([])
    assert [cut.player for cut in news] == [0]
    assert seats.cuts[1] == Cut(1, 8, "bot")
    assert seats.writers == [2, 2, 2]
    assert seats.leaves_before(9) == [(1, 8)]
