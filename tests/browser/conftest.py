"""Fixtures for tests in real browsers: servers, networks, and any number of participants."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# `playtest` is a package next to the tests, which the benches use, too; it is not installed.
sys.path.insert(0, str(Path(__file__).parent))

pytest.register_assert_rewrite("playtest.agreement")

# Imported only now, because assertions are rewritten only in modules that are registered before.
from playtest import (  # noqa: E402
    Chromium,
    ChromiumLauncher,
    Firefox,
    Participant,
    Servers,
    TurnServer,
    firefox_is_there,
)
from playtest.chromium import EXECUTABLE as CHROMIUM  # noqa: E402
from tests.lacking import NO_CHROMIUM, NO_FIREFOX, NO_TURNSERVER, do_without  # noqa: E402 (tests are no package)

_FOLDER = Path(__file__).parent
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.browser)
    # Browser tests run last: Playwright keeps an event loop running, and no asynchronous test can start
    # another one in this thread.
    items.sort(key=lambda item: item.path.is_relative_to(_FOLDER))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp)
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromiumLauncher]:
    if not Path(CHROMIUM).exists():
        do_without(f"there is no {CHROMIUM}. {NO_CHROMIUM}")
    launcher = ChromiumLauncher(tmp_path_factory.mktemp("profiles"))
    yield launcher
    launcher.stop()


@pytest.fixture
def participants(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Participant]]:
    """Collect all participants of a test; close them at its end, and show their state if it failed."""
    participants: list[Participant] = []
    yield participants
    if request.node.stash.get(_FAILED, False):
        _show(participants, tmp_path)
        if "servers" in request.fixturenames:
            for server in request.getfixturevalue("servers").running.values():
                print(f"--- {server.url}\n{server.log()[-4000:]}")
    for participant in participants:
        participant.close()


def _show(participants: list[Participant], folder: Path) -> None:
    for participant in participants:
        print(f"--- {participant.name} {participant.describe()}")
        if isinstance(participant, Chromium):
            print("\n".join(participant.console[-30:]))
        picture = folder / f"{participant.name}.png"
        try:
            participant.screenshot(picture)
        except Exception as error:
            print(f"no picture: {error}")
        else:
            print(f"picture: {picture}")


@pytest.fixture
def chromium(launcher: ChromiumLauncher, participants: list[Participant]) -> Callable[..., Chromium]:
    """Return a function that starts Chromium; an equal name in a later test finds a warm HTTP cache."""

    def start(name: str, **options: Any) -> Chromium:
        participant = launcher.launch(name, **options)
        participants.append(participant)
        return participant

    return start


@pytest.fixture
def firefox(participants: list[Participant], tmp_path: Path) -> Callable[..., Firefox]:
    """Return a function that starts Firefox."""
    if not firefox_is_there():
        do_without(NO_FIREFOX)

    def start(name: str, **options: Any) -> Firefox:
        participant = Firefox(name, tmp_path, **options)
        participants.append(participant)
        return participant

    return start


@pytest.fixture
def coturn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TurnServer]:
    """Run a TURN server, which study servers that start later offer to their participants."""
    if not TurnServer.is_there():
        do_without(NO_TURNSERVER)
    turn = TurnServer(tmp_path)
    monkeypatch.setenv("COPLAY_TURN", turn.address)
    monkeypatch.setenv("COPLAY_TURN_SECRET", turn.secret)
    yield turn
    turn.stop()
