"""The pins are whole and consistent."""

import json
import re

from coplay.runtime import Runtime
from coplay.runtime.distribution import CORE_FILES, pinned_distribution


def test_core_pins_name_each_core_file() -> None:
    assert {file.name for file in pinned_distribution().core} == set(CORE_FILES)


def test_every_pin_is_a_sha256() -> None:
    distribution = pinned_distribution()
    for file in (*distribution.core, *distribution.wheels):
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256), file


def test_wheel_names_agree_with_their_versions() -> None:
    for wheel in pinned_distribution().wheels:
        assert wheel.name.lower().startswith(f"{wheel.project.replace('-', '_')}-{wheel.version}-")


def test_only_numpy_is_compiled() -> None:
    assert [wheel.project for wheel in pinned_distribution().wheels if not wheel.is_pure] == ["numpy"]


def test_served_catalogue_lists_what_is_served_with_its_hashes(runtime: Runtime) -> None:
    catalogue = json.loads(runtime.file("pyodide-lock.json").read_text("utf-8"))["packages"]
    assert list(catalogue) == ["numpy"]
    assert catalogue["numpy"]["sha256"] == runtime.lock.files[catalogue["numpy"]["file_name"]]
