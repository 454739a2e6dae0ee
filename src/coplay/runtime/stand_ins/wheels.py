"""Wheels that stand in for drawing libraries.

pygame is megabytes and not part of a simulation, yet environments import it. As a dependency of a package it
is replaced by `absent_drawing.py` under the library's name. A study that lists the library itself among its
packages gets the real one, if Pyodide has it.
"""

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from importlib import resources

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

VERSION = "0+absent"
MODULES = {"pygame": "pygame", "pygame-ce": "pygame"}
"""Module name of each project that has a stand-in."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def is_replaced(requirement: Requirement, *, by_study: bool) -> bool:
    """Return True if a stand-in satisfies a requirement.

    Args:
        requirement: The requirement.
        by_study: True if the study itself lists it. (The lock of an earlier run lists stand-ins by version.)
    """
    if canonicalize_name(requirement.name) not in MODULES:
        return False
    return not by_study or str(requirement.specifier) == f"=={VERSION}"


def wheel_of(project: str) -> tuple[str, bytes]:
    """Return the file name and the bytes of a stand-in wheel, reproducibly."""
    distribution = project.replace("-", "_")
    info = f"{distribution}-{VERSION}.dist-info"
    members = {
        f"{MODULES[project]}/__init__.py": resources.files(__package__)
        .joinpath("absent_drawing.py")
        .read_bytes(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {VERSION}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: coplay\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = [
        f"{name},sha256={urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in members.items()
    ]
    members[f"{info}/RECORD"] = "\n".join([*records, f"{info}/RECORD,,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return f"{distribution}-{VERSION}-py3-none-any.whl", packed.getvalue()
