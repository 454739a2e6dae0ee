"""Values that cannot change come back equal and of the same type, and a peer cannot make others."""

import datetime
import decimal
import enum
import fractions
import pathlib
import uuid

import numpy as np
import pytest

from coplay.envs.transfer.atoms import BARE, MAKERS, PARTS, member_of, number_of, of_subclass
from coplay.errors import StateTransferError


class Colour(enum.Enum):
    RED = 1


class Rights(enum.IntFlag):
    READ = 1
    WRITE = 2


class Word(str):
    __slots__ = ()


VALUES = [
    ...,
    NotImplemented,
    range(1, 9, 2),
    slice(None, 3),
    datetime.date(2026, 1, 2),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6, fold=1),
    datetime.time(3, 4, 5, 6),
    datetime.timedelta(1, 2, 3),
    datetime.timezone(datetime.timedelta(hours=2), "here"),
    decimal.Decimal("1.50"),
    fractions.Fraction(1, 3),
    uuid.UUID(int=5),
    pathlib.PurePosixPath("a/b"),
    pathlib.PureWindowsPath("a/b"),
    np.dtype("<f4"),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_value_comes_back_from_its_parts(value):
    made = MAKERS[type(value).__name__](*PARTS[type(value)](value))
    assert (type(made), repr(made)) == (type(value), repr(value))


@pytest.mark.parametrize("value", [np.float32(0.1), np.int64(-3), np.datetime64("2026-01-01"), np.str_("ab")])
def test_number_comes_back_bit_for_bit(value):
    made = number_of(value.dtype.str, value.tobytes())
    assert (made.dtype, made.tobytes()) == (value.dtype, value.tobytes())


def test_text_of_no_length_comes_back():
    assert number_of("<U0", b"") == np.str_("")


@pytest.mark.parametrize("value", [Word("a"), Rights.READ, type("Ratio", (float,), {})(0.5)])
def test_value_of_a_subclass_comes_back_from_the_plain_one(value):
    bare = next(bare for base, bare in BARE if isinstance(value, base))
    plain = bare(value)
    assert type(plain) in (str, int, float)
    made = of_subclass(type(value), plain)
    assert (type(made), made) == (type(value), value)


def test_member_of_an_enum_is_found_by_name_or_value():
    assert member_of(Colour, "RED") is Colour.RED
    assert member_of(Rights, 3) == Rights.READ | Rights.WRITE


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: number_of("<f4", b"123"), "3 bytes for a number of type <f4"),
        (lambda: number_of("|O", bytes(8)), "for a number of type"),
        (lambda: number_of("(2,)f4", bytes(8)), "unknown dtype"),
        (lambda: MAKERS[type(np.dtype("f4")).__name__]("f4,f4"), "unknown dtype"),
        (lambda: member_of(int, "RED"), "uses int as an enum"),
        (lambda: of_subclass(int, "text"), "makes a int of a str"),
        (lambda: of_subclass(object, None), "makes a object of a NoneType"),
    ],
)
def test_value_that_cannot_be_is_refused(make, reason):
    with pytest.raises(StateTransferError, match=reason):
        make()
