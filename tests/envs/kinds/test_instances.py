"""Instances and watched names come back, those included that had no value."""

import types

from coplay.envs.kinds.instances import Namespace, slots_of
from coplay.envs.state.walk import StateWalk


class Base:
    __slots__ = ("__secret", "shown")


class Derived(Base):
    __slots__ = "single"


class Tagged(list):
    __slots__ = ("tag",)


def test_slots_include_those_of_bases_in_their_mangled_form():
    assert slots_of(Derived) == ["single", "_Base__secret", "shown"]


def test_unset_slot_is_unset_again():
    held = Derived()
    held.shown = 1
    walk = StateWalk({"held": held})
    saved = walk.take()
    held.single = 2
    del held.shown
    walk.restore(saved)
    assert held.shown == 1
    assert not hasattr(held, "single")


def test_list_with_slots_gets_back_both():
    held = Tagged([1])
    held.tag = "a"
    walk = StateWalk({"held": held})
    saved = walk.take()
    held.append(2)
    held.tag = "b"
    walk.restore(saved)
    assert (list(held), held.tag) == ([1], "a")


def test_watched_name_without_a_value_is_deleted_again():
    module = types.ModuleType("watched")
    module.score = 1
    walk = StateWalk({"watched": Namespace(module, ["late", "score"])})
    saved = walk.take()
    module.late, module.score = [1], 2
    late = walk.take()
    walk.restore(saved)
    assert not hasattr(module, "late")
    assert module.score == 1
    walk.restore(late)
    assert (module.late, module.score) == ([1], 2)
    assert walk.diff(saved, late) == ["len(watched.late)", "watched.late", "watched.late[0]", "watched.score"]
