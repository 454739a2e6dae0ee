"""How long seats are held, as arithmetic."""

from coplay.server.games.hold_times import Absence, HoldTimes

TIMES = HoldTimes(hold_s=10, resume_s=60)


def test_absence_lasts_the_hold_time_without_signs_of_life() -> None:
    assert TIMES.start(100) == Absence(100, 110)


def test_sign_of_life_extends_an_absence_up_to_the_resume_time() -> None:
    absence = TIMES.start(100)
    assert TIMES.extend(absence, 105).until == 115
    assert TIMES.extend(absence, 158).until == 160


def test_sign_of_life_never_shortens_an_absence() -> None:
    assert TIMES.extend(Absence(100, 150), 101).until == 150


def test_absence_of_a_page_that_is_gone_is_not_extended() -> None:
    absence = TIMES.replace_page(TIMES.start(100), 105)
    assert absence == Absence(100, 115, page_gone=True)
    assert TIMES.extend(absence, 114) is absence


def test_page_that_is_replaced_while_it_has_a_socket_starts_an_absence() -> None:
    assert TIMES.replace_page(None, 100) == Absence(100, 110, page_gone=True)


def test_restart_holds_seats_for_the_longer_time() -> None:
    assert TIMES.start_after_restart(100).until == 160
    assert HoldTimes(hold_s=90, resume_s=60).start_after_restart(100).until == 190
