"""A study's packages come to pinned wheels, or to a sentence that says why not."""

import json
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from coplay.errors import RuntimeUnavailableError, StudyError
from coplay.runtime.distribution import Distribution, PinnedWheel
from coplay.runtime.fetching.file_cache import FileCache
from coplay.runtime.fetching.package_clients import SourceFailedError
from coplay.runtime.fetching.resolver import Resolver
from coplay.runtime.progress import silent

BASE = PinnedWheel("gymnasium-1.4.0-py3-none-any.whl", "0" * 64, "gymnasium", "1.4.0")
PILLOW = PinnedWheel("pillow-12.2.0-cp314-x_wasm32.whl", "1" * 64, "pillow", "12.2.0")
CATALOGUE = {"packages": {"Pillow": {"file_name": PILLOW.name, "version": "12.2.0", "sha256": PILLOW.sha256}}}

Offers = dict[str, tuple[str, list[str]]]
"""By requirement: the wheel's file name, and what it needs."""


class FakeSources:
    """Stands in for `Sources`: an index of made-up wheels."""

    def __init__(self, store: FileCache, offers: Offers) -> None:
        self.store = store
        self.offers = offers
        self.asked: list[str] = []

    def download_pure_wheel(self, requirement: str) -> tuple[Path, str]:
        self.asked.append(requirement)
        if requirement not in self.offers:
            raise SourceFailedError(f"pip said: ERROR: No matching distribution found for {requirement}")
        return self._write(*self.offers[requirement])

    def wheels(self, wheels: Collection[PinnedWheel]) -> dict[str, Path]:
        return {
            wheel.name: self.store.find(wheel.sha256, wheel.name) or self._write(wheel.name, [])[0]
            for wheel in wheels
        }

    def _write(self, name: str, needs: list[str]) -> tuple[Path, str]:
        with self.store.scratch() as folder:
            with zipfile.ZipFile(folder / name, "w") as archive:
                lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
                archive.writestr("a.dist-info/METADATA", f"Metadata-Version: 2.1\n{lines}\n")
            return self.store.add(folder / name, name)


Make = Callable[[Offers], tuple[Resolver, FakeSources]]


@pytest.fixture
def make(store: FileCache, make_distribution: Callable[..., Distribution], tmp_path: Path) -> Make:
    catalogue = tmp_path / "catalogue.json"
    catalogue.write_text(json.dumps(CATALOGUE))

    def make(offers: Offers) -> tuple[Resolver, FakeSources]:
        sources = FakeSources(store, offers)
        resolver = Resolver(make_distribution(wheels=(BASE,)), catalogue, store, sources, silent)  # type: ignore[arg-type]
        return resolver, sources

    return make


def test_no_packages_need_no_wheels(make: Make) -> None:
    assert make({})[0].resolve([]) == ()


def test_dependencies_beyond_the_base_come_along(make: Make) -> None:
    resolver, _ = make(
        {
            "game==1.0": ("game-1.0-py3-none-any.whl", ["gymnasium>=1.0", "grid>=2"]),
            "grid>=2": ("grid-2.5-py3-none-any.whl", []),
        }
    )
    assert [wheel.requirement for wheel in resolver.resolve(["game==1.0"])] == ["game==1.0", "grid==2.5"]


def test_needs_for_other_systems_and_extras_are_left_out(make: Make) -> None:
    needs = [
        'jax; extra == "fast"',
        'winthing; sys_platform == "win32"',
        'grid; sys_platform == "emscripten"',
    ]
    resolver, sources = make(
        {
            "game==1.0": ("game-1.0-py3-none-any.whl", needs),
            "grid": ("grid-2.5-py3-none-any.whl", []),
        }
    )
    resolver.resolve(["game==1.0"])
    assert sources.asked == ["game==1.0", "grid"]


def test_asked_extra_is_followed(make: Make) -> None:
    resolver, _ = make(
        {
            "game==1.0": ("game-1.0-py3-none-any.whl", ['grid; extra == "big"']),
            "grid": ("grid-2.5-py3-none-any.whl", []),
        }
    )
    assert [wheel.project for wheel in resolver.resolve(["game[big]==1.0"])] == ["game", "grid"]


def test_package_that_pyodide_builds_is_taken_from_it(make: Make) -> None:
    resolver, sources = make({})
    assert resolver.resolve(["Pillow==12.2.0"]) == (PILLOW,)
    assert sources.asked == []


def test_same_list_is_answered_from_the_note(make: Make) -> None:
    offers: Offers = {"game==1.0": ("game-1.0-py3-none-any.whl", [])}
    first = make(offers)[0].resolve(["game==1.0"])
    resolver, sources = make({})
    assert resolver.resolve(["game==1.0"]) == first
    assert sources.asked == []


@pytest.mark.parametrize(
    "package", ["game", "game>=1", "game==1.*", "not a requirement!", "game @ https://x/y"]
)
def test_package_without_an_exact_version_is_refused(make: Make, package: str) -> None:
    with pytest.raises(StudyError) as caught:
        make({})[0].resolve([package])
    assert "cogrid==0.3.2" in caught.value.hint


def test_contradiction_with_the_base_is_refused(make: Make) -> None:
    with pytest.raises(
        StudyError, match=r"the study needs gymnasium==0\.29, and the browser has gymnasium==1\.4\.0"
    ):
        make({})[0].resolve(["gymnasium==0.29"])


def test_version_that_pyodide_has_not_built_names_the_one_it_has(make: Make) -> None:
    with pytest.raises(StudyError) as caught:
        make({})[0].resolve(["pillow==9.0"])
    assert caught.value.hint == "Ask for pillow==12.2.0."


def test_package_with_no_wheel_for_browsers_is_refused(make: Make) -> None:
    with pytest.raises(StudyError, match="no wheel of it runs in a browser"):
        make({})[0].resolve(["mujoco==3.0"])


def test_unreachable_index_is_a_missing_runtime(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver, sources = make({})

    def fail(requirement: str) -> tuple[Path, str]:
        raise SourceFailedError("pip said: ERROR: connection refused")

    monkeypatch.setattr(sources, "download_pure_wheel", fail)
    with pytest.raises(RuntimeUnavailableError, match=r"game==1\.0 could not be fetched"):
        resolver.resolve(["game==1.0"])


def test_library_that_only_draws_is_replaced_where_a_package_needs_it(make: Make) -> None:
    resolver, sources = make(
        {"grid==1.0": ("grid-1.0-py3-none-any.whl", ["pygame-ce>=2.4", "pygame>=2", "numpy-free"])}
        | {"numpy-free": ("numpy_free-1-py3-none-any.whl", [])}
    )
    first = resolver.resolve(["grid==1.0"])
    assert [wheel.requirement for wheel in first] == ["grid==1.0", "numpy-free==1", "pygame-ce==0+absent"]
    assert not any("pygame" in asked for asked in sources.asked)
    stand_in = first[-1]
    assert sources.store.find(stand_in.sha256, stand_in.name) is not None
    assert resolver.resolve(["grid==1.0"]) == first
    # As a lock lists it, for a replay.
    assert resolver.resolve(["pygame-ce==0+absent"]) == (stand_in,)


def test_library_that_only_draws_comes_where_the_study_lists_it(make: Make) -> None:
    resolver, _ = make(
        {
            "grid==1.0": ("grid-1.0-py3-none-any.whl", ["pygame>=2"]),
            "pygame-ce==2.5": ("pygame_ce-2.5-py3-none-any.whl", []),
        }
    )
    wheels = resolver.resolve(["grid==1.0", "pygame-ce==2.5"])
    assert [wheel.requirement for wheel in wheels] == ["grid==1.0", "pygame-ce==2.5"]
