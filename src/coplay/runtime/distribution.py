"""The pinned files of the browser runtime, by SHA-256.

Everything that a participant's browser executes besides the study itself is listed in `pins.json`: Pyodide's
core, numpy built for WebAssembly, and the pure wheels that every study needs. A file may come from any source
(see `fetching.sources`), as only its hash counts.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of the runtime."""

    name: str
    """File name as published."""
    sha256: str
    """SHA-256 of its bytes, in hex."""


@dataclass(frozen=True, slots=True)
class PinnedWheel(PinnedFile):
    """One installable wheel of the runtime."""

    project: str
    """Canonical project name, for example `typing-extensions`."""
    version: str
    """Its version."""

    @property
    def is_pure(self) -> bool:
        """True if the wheel is pure Python, so that any package index has it."""
        return self.name.endswith("-none-any.whl")

    @property
    def requirement(self) -> str:
        """The requirement `project==version` for a package index."""
        return f"{self.project}=={self.version}"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A PyPI package that contains Pyodide's wheels, for networks that reach an index but not the CDN."""

    requirement: str
    """`name==version` of the package."""
    folder: str
    """Folder of the files inside its wheel; ends in a slash."""
    size: int
    """Download size in bytes, for the progress bar."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The pinned base of every study's runtime."""

    version: str
    """Pyodide's version."""
    python: str
    """Python's version."""
    abi: str
    """ABI tag of its compiled wheels."""
    cdn: str
    """Address of the folder where Pyodide's own files are published; ends in a slash."""
    npm: str
    """`name@version` of the npm package with the core."""
    mirror: Mirror
    """Source of the compiled wheels if the CDN cannot be reached."""
    core: tuple[PinnedFile, ...]
    """Interpreter, standard library and Pyodide's list of packages."""
    wheels: tuple[PinnedWheel, ...]
    """In load order."""


WASM_FILE = "pyodide.asm.wasm"
STDLIB_FILE = "python_stdlib.zip"
LOCK_FILE = "pyodide-lock.json"
CORE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", WASM_FILE, STDLIB_FILE, LOCK_FILE)


@cache
def pinned_distribution() -> Distribution:
    """Read `pins.json`."""
    pins = json.loads(resources.files(__package__).joinpath("pins.json").read_text("utf-8"))
    return Distribution(
        version=pins["version"],
        python=pins["python"],
        abi=pins["abi"],
        cdn=pins["cdn"],
        npm=pins["npm"],
        mirror=Mirror(**pins["mirror"]),
        core=tuple(PinnedFile(name, sha256) for name, sha256 in pins["core"].items()),
        wheels=tuple(
            PinnedWheel(wheel["file"], wheel["sha256"], canonicalize_name(wheel["name"]), wheel["version"])
            for wheel in pins["wheels"]
        ),
    )
