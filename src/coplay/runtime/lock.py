"""The runtime lock: everything that a participant's browser executes besides the study, by hash.

Its hash names the runtime in URLs and is stored with the data, so that a recorded game identifies the code
that computed it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coplay.runtime.distribution import Distribution, PinnedWheel
from coplay.runtime.fetching.file_cache import sha256_of

FORMAT = 1


@dataclass(frozen=True, slots=True)
class RuntimeLock:
    """The hashes of a complete runtime. Equal runtimes have equal locks, on any machine."""

    document: Mapping[str, Any]
    """Plain JSON: `format, pyodide, compiled, wheels, files, load`."""

    @classmethod
    def of(
        cls,
        distribution: Distribution,
        wheels: Sequence[PinnedWheel],
        files: Mapping[str, Path],
        load: Sequence[str],
        *,
        compiled: bool,
    ) -> "RuntimeLock":
        """Return the lock of a runtime.

        Args:
            distribution: Its base.
            wheels: Wheels joined into its archives.
            files: Served files by name.
            load: Names of the archives among them, in load order.
            compiled: True if their modules were precompiled.
        """
        return cls(
            {
                "format": FORMAT,
                "pyodide": {
                    "version": distribution.version,
                    "python": distribution.python,
                    "abi": distribution.abi,
                },
                "compiled": compiled,
                "wheels": {
                    wheel.project: {"version": wheel.version, "file": wheel.name, "sha256": wheel.sha256}
                    for wheel in wheels
                },
                "files": {
                    name: {"sha256": sha256_of(path), "size": path.stat().st_size}
                    for name, path in files.items()
                },
                "load": list(load),
            }
        )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: JSON with sorted keys and no spaces."""
        return json.dumps(self.document, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    @property
    def lock_hash(self) -> str:
        """SHA-256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def load(self) -> tuple[str, ...]:
        """Names of the archives to unpack into site-packages, in this order."""
        return tuple(self.document["load"])

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of each served file by name."""
        return {name: entry["sha256"] for name, entry in self.document["files"].items()}

    @property
    def versions(self) -> dict[str, str]:
        """Version of each package in the browser, by project."""
        return {project: wheel["version"] for project, wheel in self.document["wheels"].items()}
