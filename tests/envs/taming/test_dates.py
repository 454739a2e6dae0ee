"""The classes of `datetime` in a frame."""

import datetime
import sys
import types

import pytest

from coplay.envs import taming
from coplay.envs.taming import SimulatedFrame

# By the module: names imported here would be replaced with those of an environment of these tests.
from coplay.envs.taming import dates as real


@pytest.fixture(autouse=True)
def _installed():
    taming.install()


def test_every_way_to_ask_for_now_gives_the_simulated_moment():
    with SimulatedFrame(1, 1, 60.0):
        moments = [
            datetime.datetime.now(),
            datetime.datetime.utcnow(),
            datetime.datetime.today(),
            datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
        ]
        day = datetime.date.today()
    assert {moment.replace(microsecond=0) for moment in moments} == {
        real.RealDatetime(2023, 11, 14, 22, 14, 20)
    }
    assert day == real.RealDate(2023, 11, 14)
    assert {type(moment) for moment in moments} == {real.RealDatetime}


def test_class_that_was_kept_gives_real_time_outside_of_frames():
    with SimulatedFrame(1, 1, 0.0):
        kept, kept_date = datetime.datetime, datetime.date
    year = real.RealDatetime.now().year
    assert kept is not real.RealDatetime
    assert {kept.now().year, kept.today().year, kept_date.today().year} == {year}
    assert kept.utcnow().tzinfo is None
    assert isinstance(real.RealDatetime(2020, 1, 1), kept)
    assert isinstance(real.RealDate(2020, 1, 1), kept_date)


def test_real_classes_can_be_had_inside_a_frame():
    with SimulatedFrame(1, 1, 0.0):
        simulated = datetime.datetime
        with taming.real_dates():
            assert (datetime.datetime, datetime.date) == (real.RealDatetime, real.RealDate)
        assert datetime.datetime is simulated


@pytest.fixture
def own_package():
    module = types.ModuleType("own_package.world")
    module.clock, module.Day, module.other = real.RealDatetime, real.RealDate, 1
    sys.modules["own_package.world"] = module
    yield module
    del sys.modules["own_package.world"]
    taming.uninstall()


def test_names_in_the_environments_own_package_are_replaced_until_uninstalled(own_package):
    taming.install_dates("own_package")
    with SimulatedFrame(1, 1, 0.0):
        assert own_package.clock.now().year == 2023
        assert own_package.Day.today().year == 2023
    taming.uninstall()
    assert (own_package.clock, own_package.Day) == (real.RealDatetime, real.RealDate)


def test_names_in_the_standard_library_are_left_alone():
    taming.install_dates("calendar")
    import calendar

    assert calendar.datetime.datetime is real.RealDatetime
