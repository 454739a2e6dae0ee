from hypothesis import given
from hypothesis import strategies as st

from coplay.study.matching import LobbyQueue, Matched, PatienceExceeded, WentAway


def test_first_two_who_came_are_matched_in_order() -> None:
    queue = LobbyQueue(2, 60)
    for time, member in enumerate(["a", "b", "c"]):
        queue.join(member, time)
    assert queue.tick(3) == [Matched(("a", "b"))]
    assert queue.members == ("c",)


def test_someone_who_left_is_not_matched() -> None:
    queue = LobbyQueue(2, 60)
    queue.join("a", 0)
    queue.leave("a")
    queue.join("b", 1)
    assert queue.tick(1) == []


def test_dropped_connection_is_not_matched_and_loses_its_place_after_the_hold() -> None:
    queue = LobbyQueue(2, 60, hold_s=10)
    queue.join("a", 0)
    queue.drop("a", 1)
    queue.join("b", 2)
    assert queue.tick(10.9) == []
    assert queue.tick(11) == [WentAway("a")]


def test_dropped_connection_that_comes_back_keeps_its_place() -> None:
    queue = LobbyQueue(2, 60, hold_s=10)
    queue.join("a", 0)
    queue.drop("a", 1)
    queue.join("b", 2)
    queue.join("a", 3)
    assert queue.tick(3) == [Matched(("a", "b"))]


def test_patience_ends_for_the_one_who_waited_that_long() -> None:
    queue = LobbyQueue(3, 60)
    queue.join("a", 0)
    queue.join("b", 30)
    assert queue.tick(60) == [PatienceExceeded("a")]
    assert queue.members == ("b",)


def test_partner_in_the_last_moment_is_still_a_partner() -> None:
    queue = LobbyQueue(2, 60)
    queue.join("a", 0)
    queue.join("b", 60)
    assert queue.tick(60) == [Matched(("a", "b"))]


def test_state_names_how_many_are_missing() -> None:
    queue = LobbyQueue(3, 60)
    queue.join("a", 0)
    state = queue.state("a", 5)
    assert (state.present, state.size, state.waited_s, state.patience_s) == (1, 3, 5, 60)
    assert "2 more people" in state.reason


steps = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "drop", "tick"]), st.integers(0, 9), st.floats(0, 20)),
    max_size=60,
)


@given(size=st.integers(2, 4), steps=steps)
def test_whatever_happens_nobody_is_in_two_groups_or_forgotten(
    size: int, steps: list[tuple[str, int, float]]
) -> None:
    queue, now, inside = LobbyQueue(size, 30, hold_s=10), 0.0, set[str]()
    for kind, who, passed in steps:
        now += passed
        member = f"p{who}"
        match kind:
            case "join":
                queue.join(member, now)
                inside.add(member)
            case "leave":
                queue.leave(member)
                inside.discard(member)
            case "drop":
                queue.drop(member, now)
            case _:
                for effect in queue.tick(now):
                    out = set(effect.members) if isinstance(effect, Matched) else {effect.member}
                    assert out <= inside
                    if isinstance(effect, Matched):
                        assert len(out) == size
                    inside -= out
        assert set(queue.members) == inside
    queue.tick(now + 31)
    assert queue.members == ()
