"""Sets up a checkout with nothing but Python 3.11 or later. Finished steps are not repeated.

Usage: python3 tools/setup.py [--develop] [--browsers]

Creates .venv with the hashed requirements, a Node if the system has none, the built page, and the browser's
runtime. `--develop` adds the tools of tests and checks, `--browsers` the browsers that the tests drive. Only
the standard library is used, because nothing else is installed yet.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"
STAMPS = VENV / "stamps"
EXAMPLE_PACKAGES = "cogrid==0.3.2"
BROWSERS = {"chromium": "chromium", "firefox-esr": "firefox-esr"}
"""Command → the Debian package that provides it."""


def main(options: list[str]) -> None:
    """Run the steps that are not done yet."""
    if sys.version_info < (3, 11):  # noqa: UP036 (asked before anything is installed)
        sys.exit(f"coplay needs Python 3.11 or later, and this is {sys.version.split()[0]}.")
    start = time.monotonic()
    make_environment()
    requirements = ROOT / "requirements" / ("develop.lock" if "--develop" in options else "install.lock")
    install(requirements, "Installing Python packages")
    once("project", [ROOT / "pyproject.toml"], "Installing coplay itself", install_project)
    if not has_node():
        install(ROOT / "requirements" / "node.lock", "Installing Node, which this system does not have")
    call(str(PYTHON), "tools/web.py", "build")
    for packages in ([], [EXAMPLE_PACKAGES]):
        call(str(PYTHON), "-m", "coplay.runtime", "--quiet", *packages)
    if "--browsers" in options:
        find_browsers()
    if (took := time.monotonic() - start) > 10:
        say(f"Set up in {took:.0f} s.")


def make_environment() -> None:
    """Create .venv, unless a working one exists."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0:
        return
    say("Making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False).returncode == 0
    if not made:
        sys.exit(
            "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"
        )


def install(lock: Path, stage: str) -> None:
    """Install exactly the packages of a lock file, each checked by its hash."""

    def work() -> None:
        pip = (str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes")
        quiet = () if sys.stdout.isatty() else ("--quiet",)
        call(*pip, *quiet, "-r", str(lock))

    once(lock.stem, [lock], stage, work)


def install_project() -> None:
    """Install coplay in editable form."""
    pip = (str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    call(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")


def has_node() -> bool:
    """Return True if tools/web.py finds a Node that is new enough."""
    sys.path.insert(0, str(ROOT / "tools"))
    import web

    return web.find_node() is not None


def find_browsers() -> None:
    """Install the browsers that the tests drive, where that is possible."""
    missing = [package for command, package in BROWSERS.items() if shutil.which(command) is None]
    if not missing:
        return
    names = " ".join(missing)
    root = [] if os.name != "nt" and os.geteuid() == 0 else [shutil.which("sudo") or ""]
    if shutil.which("apt-get") is None or root == [""]:
        say(f"Not found: {names}. The tests that need them are skipped; install them to run all tests.")
        return
    say(f"Installing {names} with apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        done = subprocess.run(
            [*root, "apt-get", *words], env=environment, stdout=subprocess.DEVNULL, check=False
        )
    if done.returncode:
        say(f"apt could not install {names}. The tests that need them are skipped.")


def once(name: str, inputs: list[Path], stage: str, work: Callable[[], None]) -> None:
    """Run a step whose result depends only on `inputs`, unless it was run for the same inputs."""
    stamp = STAMPS / name
    state = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    if stamp.is_file() and stamp.read_text() == state:
        return
    say(stage)
    work()
    STAMPS.mkdir(exist_ok=True)
    stamp.write_text(state)


def call(*command: str) -> None:
    """Run a command in the checkout's root folder. Exit if it fails."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def say(words: str) -> None:
    """Print the next step."""
    print(f"{words} …" if not words.endswith(".") else words, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
