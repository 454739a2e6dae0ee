"""What a page needs before it can load a study's game."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyInfo:
    """The study that a server runs."""

    name: str
    """The study's name."""
    version: str
    """The study's version, as its author wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """Where a page finds the browser's Python, and which packages it installs."""

    base: str
    """Path of the distribution on the study's server, with a slash at the end."""
    lock_hash: str
    """SHA-256 of the lock of all files, in hexadecimal digits."""
    packages: tuple[str, ...]
    """File names of the wheels, in the order in which they are loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleInfo:
    """Where a page finds the study's code."""

    url: str
    """Path of the zip archive on the study's server."""
    hash: str
    """SHA-256 of the archive, in hexadecimal digits."""
    module: str
    """Name of the module to import once the archive is unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootInfo:
    """What any page needs to load a study's games."""

    study: StudyInfo
    """The study that is run."""
    runtime: RuntimeInfo
    """The browser's Python."""
    bundle: BundleInfo
    """The study's code."""
