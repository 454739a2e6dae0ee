"""The study's code for the browser: a reproducible zip archive.

It contains the folder of the study file and the part of coplay that runs in the browser. Participants can
read all of it, so only file types that a study shows or computes with are included, and no data tables.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coplay.errors import StudyError
from coplay.runtime.building.assembly import Runtime
from coplay.runtime.progress import ReportProgress, silent

MODULE = "study"
COPLAY_PARTS = (
    "__init__.py",
    "errors.py",
    "netcode",
    "envs",
    "messages",
    "study",
    "data/__init__.py",
    "data/batches.py",
    "data/spaces.py",  # replays describe observation spaces
    "browser",
)
"""The files and folders of coplay that run in the browser."""
SUFFIXES = frozenset(
    {".py", ".md", ".txt", ".json", ".toml", ".yaml", ".yml"}
    | {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"}
    | {".npy", ".npz", ".onnx"}
    | {".wav", ".mp3", ".ogg", ".ttf", ".otf", ".woff2"}
)
"""File types taken from the study's folder. Tables (.csv, .parquet) and pickles are left out on purpose."""
FILE_LIMIT = 32 << 20
BUNDLE_LIMIT = 64 << 20
COUNT_LIMIT = 2000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NEVER = frozenset({"__pycache__", "node_modules", "coplay-data", "venv", "dist", "build"})
_FOLDER_HINT = "Keep the study file in a folder of its own, with only what participants' browsers need."


@dataclass(frozen=True, slots=True)
class Bundle:
    """A study's code, ready to be served as `/bundle/<sha256>.zip`."""

    data: bytes
    """The zip archive."""
    module: str
    """Name of the module that defines the study."""
    files: tuple[str, ...]
    """Files of the study's folder that it contains."""

    @property
    def sha256(self) -> str:
        """SHA-256 of `data`, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def build_bundle(
    study_file: Path, runtime: Runtime | None = None, *, exclude: tuple[Path, ...] = ()
) -> Bundle:
    """Pack a study for the browser.

    The study can be imported as `study` whatever its file is called, unless its folder has another
    `study.py`.

    Args:
        study_file: The Python file that defines the study.
        runtime: If given, precompiles coplay's part, which saves each page a few tenths of a second.
        exclude: Folders inside the study's folder to leave out, such as the data directory.

    Raises:
        StudyError: The file is missing, or its folder is too large.
    """
    study_file = study_file.resolve()
    if not study_file.is_file():
        raise StudyError(f"There is no study file {study_file}.", "Check the path.")
    folder = study_file.parent
    excluded = {path.resolve() for path in exclude}
    members: dict[str, bytes] = {}
    for path in _study_files(folder, excluded):
        members[path.relative_to(folder).as_posix()] = _read(path)
        if len(members) > COUNT_LIMIT or sum(map(len, members.values())) > BUNDLE_LIMIT:
            raise StudyError(
                f"The folder {folder} holds more than a browser should load "
                f"({COUNT_LIMIT} files or {BUNDLE_LIMIT >> 20} MB).",
                _FOLDER_HINT,
            )
    files = tuple(sorted(members))
    module = study_file.stem
    if module != MODULE and f"{MODULE}.py" not in members:
        members[f"{MODULE}.py"] = _alias(module)
        module = MODULE
    members |= _unpack(coplay_part(runtime))
    return Bundle(_pack(members), module, files)


def coplay_part(runtime: Runtime | None = None, *, progress: ReportProgress = silent) -> bytes:
    """Return the part of coplay that runs in the browser, as a zip; precompiled if a runtime is given."""
    plain = _pack(_coplay_files())
    return plain if runtime is None else runtime.compile_ahead(plain, progress=progress)


def _study_files(folder: Path, excluded: set[Path]) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if _is_wanted(here / name, excluded))
        # A folder named coplay would shadow the library.
        if here == folder and "coplay" in folders:
            folders.remove("coplay")
        for name in sorted(names):
            path = here / name
            inside = path.resolve().is_relative_to(folder)
            if not name.startswith(".") and path.suffix.lower() in SUFFIXES and inside and path.is_file():
                yield path


def _is_wanted(path: Path, excluded: set[Path]) -> bool:
    return (
        not path.name.startswith(".")
        and path.name not in _NEVER
        and not path.is_symlink()
        and path.resolve() not in excluded
        and not (path / "pyvenv.cfg").exists()
    )


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if size > FILE_LIMIT:
        raise StudyError(
            f"{path} is too large for a browser: {size >> 20} MB, and the limit is {FILE_LIMIT >> 20}.",
            _FOLDER_HINT,
        )
    return path.read_bytes()


def _alias(module: str) -> bytes:
    return (
        '"""The study, under the name that the page imports."""\n\n'
        "import importlib\nimport sys\n\n"
        f"sys.modules[__name__] = importlib.import_module({module!r})\n"
    ).encode()


def _coplay_files() -> dict[str, bytes]:
    root = Path(__file__).parent.parent
    members: dict[str, bytes] = {}
    for part in COPLAY_PARTS:
        path = root / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if file.is_file():
                members[str(PurePosixPath("coplay") / file.relative_to(root).as_posix())] = file.read_bytes()
    return members


def _unpack(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _pack(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # the same bytes on every system
            info.external_attr = 0o644 << 16
            archive.writestr(info, members[name])
    return packed.getvalue()
