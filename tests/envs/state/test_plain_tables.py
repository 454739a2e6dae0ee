"""Large tables of plain data are one object of the walk until they hold something else."""

from coplay.envs.state import walk as state_walk
from coplay.envs.state.plain_tables import MIN_LENGTH, collect_table
from coplay.envs.state.walk import StateWalk


class Thing:
    pass


def test_table_includes_containers_in_tuples_and_counts_shared_ones_once():
    shared = [1]
    root = {("key", n): (shared, {"n": n}) for n in range(3)}
    table = collect_table(root)
    assert [id(held) for held in table.lists] == [id(shared)]
    assert len(table.dicts) == 4
    assert table.contents()[id(root)] == root


def test_container_that_holds_an_instance_is_no_table():
    assert collect_table([1, (Thing(),)]) is None


def test_instances_of_a_type_never_seen_before_may_be_atoms():
    fresh = type("Fresh", (int,), {})
    assert collect_table([fresh(1)]) is not None


def test_table_that_was_added_during_an_episode_comes_back():
    thing = Thing()
    walk = StateWalk({"thing": thing})
    walk.take()
    thing.late = [[n] for n in range(MIN_LENGTH)]
    saved = walk.take()
    late = thing.late
    late[3].append(4)
    late.append([5])
    changed = walk.take()
    thing.late = None
    walk.restore(saved)
    assert thing.late is late
    assert late == [[n] for n in range(MIN_LENGTH)]
    walk.restore(changed)
    assert late[3] == [3, 4]


def test_added_table_that_holds_an_instance_is_saved_as_a_list():
    thing = Thing()
    walk = StateWalk({"thing": thing})
    walk.take()
    thing.late = [Thing() for _ in range(MIN_LENGTH)]
    saved = walk.take()
    first = thing.late[0]
    first.value = 1
    thing.late.clear()
    walk.restore(saved)
    assert len(thing.late) == MIN_LENGTH
    assert vars(first) == {}


def test_number_of_remembered_tables_is_bounded(monkeypatch):
    monkeypatch.setattr(state_walk, "_MAX_TABLES", 3)
    tables = {n: [[n, m] for m in range(MIN_LENGTH)] for n in range(5)}
    tables["instance"] = Thing()
    walk = StateWalk(tables)
    saved = walk.take()
    assert len(walk._tables) <= 3
    for table in list(tables.values())[:5]:
        table.pop()
    walk.restore(saved)
    assert all(len(table) == MIN_LENGTH for table in list(tables.values())[:5])
