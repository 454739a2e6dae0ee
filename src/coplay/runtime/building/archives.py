"""Joins wheels into one archive of precompiled modules.

Compiling Python in WebAssembly dominates the start of a page, so it is done once, here. This file runs inside
the browsers' Python (under Node, see `compiler.mjs`), as no other Python can produce its byte code. Under
CPython it joins the archives without compiling. The result is reproducible.
"""

import importlib.util
import zipfile
from pathlib import PurePosixPath

SITE_PACKAGES = "/lib/python3.14/site-packages/"
_LEFT_OUT = {".pyi", ".pyx", ".pxd", ".h", ".c", ".a"}


def merge(inputs: list[str], output: str, compiled: bool, sources: bool, prefix: str) -> int:
    """Join zip archives, such as wheels, into one.

    Args:
        inputs: Paths of the archives; if a file occurs twice, the last one counts.
        output: Path of the new archive. Its members are not compressed, because the transfer is.
        compiled: True to add byte code.
        sources: True to keep the sources of compiled modules. Some packages read their own, and tracebacks
            show them.
        prefix: The folder in which the modules will be, for the tracebacks of modules without sources.

    Returns:
        The number of modules that were compiled.
    """
    members: dict[str, bytes] = {}
    for archive_path in inputs:
        with zipfile.ZipFile(archive_path) as archive:
            for name in archive.namelist():
                path = PurePosixPath(name)
                if not name.endswith("/") and path.suffix not in _LEFT_OUT and "tests" not in path.parts[:-1]:
                    members[name] = archive.read(name)
    count = 0
    for name in sorted(members) if compiled else ():
        path = PurePosixPath(name)
        if path.suffix != ".py":
            continue
        code = _byte_code(members[name], prefix + name)
        if code is None:
            continue
        if sources:
            members[str(path.parent / "__pycache__" / f"{path.stem}.cpython-314.pyc")] = code
        else:
            del members[name]
            members[name + "c"] = code
        count += 1
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            # A fixed time stamp, so that equal inputs give equal bytes, and thus equal hashes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), members[name])
    return count


def _byte_code(source: bytes, filename: str) -> bytes | None:
    try:
        code = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):  # a template, or meant for another version
        return None
    # An unchecked hash: byte code must not be compared with the source's time stamp, which archives do not
    # keep.
    return bytes(
        importlib._bootstrap_external._code_to_hash_pyc(  # type: ignore[attr-defined]
            code, importlib.util.source_hash(source), False
        )
    )
