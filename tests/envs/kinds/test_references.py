"""What functions, cells and weak references lead to is part of the state."""

import types
import weakref

from coplay.envs.state.walk import StateWalk


class Thing:
    pass


def counter():
    def count(step=1):
        nonlocal total
        total += step
        return total

    total = 0
    return count


def test_closure_comes_back():
    count = counter()
    walk = StateWalk({"count": count})
    saved = walk.take()
    count()
    count.calls = 1
    walk.restore(saved)
    assert count() == 1
    assert not hasattr(count, "calls")


def test_empty_cell_is_empty_again():
    cell = types.CellType()
    walk = StateWalk({"cell": cell})
    empty = walk.take()
    cell.cell_contents = [1]
    full = walk.take()
    assert walk.checksum(empty) != walk.checksum(full)
    walk.restore(empty)
    assert cell == types.CellType()
    walk.restore(empty)
    walk.restore(full)
    assert cell.cell_contents == [1]


def test_default_values_and_weakly_held_objects_are_walked():
    def remember(thing, seen=[], *, log={}):  # noqa: B006 (that is what is tested)
        seen.append(thing)
        log[thing] = 1

    target = Thing()
    target.value = [1]
    walk = StateWalk({"remember": remember, "reference": weakref.ref(target), "gone": weakref.ref(Thing())})
    saved = walk.take()
    remember(1)
    target.value.append(2)
    walk.restore(saved)
    assert (remember.__defaults__, remember.__kwdefaults__) == (([],), {"log": {}})
    assert target.value == [1]


def test_method_of_an_object_in_c_leads_to_the_object():
    held = [1]
    walk = StateWalk({"append": held.append})
    saved = walk.take()
    held.append(2)
    walk.restore(saved)
    assert held == [1]
