"""A headless Chromium and its tabs, controlled over the DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/, domains Target, Page and Runtime.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from coplay.errors import CoplayError

BROWSER_VARIABLE: Final = "CHROMIUM"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_START_S = 60.0
_ANSWER_S = 30.0
_END_S = 5.0
_PREFIX = "coplay-robots-"
_LONGEST_FOLDER = 56  # Chromium creates a socket in it, and macOS limits its path to 103 characters
_SHORT_OF_MEMORY = "The machine may be short of memory: send fewer robots."
_FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    # Treat every robot's window as visible, although only one can be on top.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # Machines without multicast DNS cannot resolve the names that hide local addresses.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "about:blank",
)


class BrowserError(CoplayError):
    """Chromium is missing, did not start, or stopped."""


def find_chromium(browser: str | None = None) -> str:
    """Return the path of Chromium.

    Args:
        browser: A path or a command; None to look for one.

    Raises:
        BrowserError: There is no such browser.
    """
    named = browser or os.environ.get(BROWSER_VARIABLE)
    for name in [named] if named else BROWSERS:
        if found := shutil.which(name):
            return found
    raise BrowserError(
        f"there is no browser {named}" if named else "there is no Chromium or Chrome here",
        f"Install Chromium, or name one: --browser PATH, or {BROWSER_VARIABLE}=PATH.",
    )


class Tab:
    """A page with its own storage, like that of another person; created by `Chromium.open`."""

    def __init__(self, chromium: "Chromium", session: str) -> None:
        self._chromium = chromium
        self._session = session

    def go(self, url: str) -> None:
        """Load an address.

        Raises:
            BrowserError: The address cannot be opened.
        """
        reply = self._chromium.ask("Page.navigate", self._session, url=url)
        if error := reply.get("errorText"):
            raise BrowserError(
                f"{url} cannot be opened ({error})", "Is the study running, and the address right?"
            )

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page as plain values; None if it throws.

        Raises:
            BrowserError: The page or the browser is gone.
        """
        parameters = {"expression": expression, "returnByValue": True}
        reply = self._chromium.ask("Runtime.evaluate", self._session, **parameters)
        return None if "exceptionDetails" in reply else reply["result"].get("value")


class Chromium:
    """A running browser; created by `chromium`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last_id = 0
        self._crashed: set[str] = set()

    def open(self, script: str) -> Tab:
        """Open a tab that shares no storage with the others.

        Args:
            script: JavaScript that runs in each of its pages before their own.
        """
        context = self.ask("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
        target = self.ask(
            "Target.createTarget",
            url="about:blank",
            browserContextId=context,
            newWindow=True,
            width=1000,
            height=800,
        )["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Inspector.enable", session)
        self.ask("Page.enable", session)
        self.ask("Emulation.setFocusEmulationEnabled", session, enabled=True)
        self.ask("Page.addScriptToEvaluateOnNewDocument", session, source=script)
        return Tab(self, session)

    def ask(self, method: str, session: str | None = None, /, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result.

        Args:
            method: Method of the DevTools protocol.
            session: Session of a tab; None for the browser itself.
            parameters: The method's parameters.

        Raises:
            BrowserError: The command failed, or there was no reply.
        """
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        deadline = time.monotonic() + _ANSWER_S
        try:
            self._connection.send(json.dumps(message))
            while True:
                if session in self._crashed:
                    raise BrowserError("the tab crashed", _SHORT_OF_MEMORY)
                reply = json.loads(self._connection.recv(max(0.0, deadline - time.monotonic())))
                if reply.get("method") == "Inspector.targetCrashed":
                    self._crashed.add(reply["sessionId"])
                if reply.get("id") == self._last_id:
                    break
        except TimeoutError as error:
            raise BrowserError(f"a tab did not answer for {_ANSWER_S:g} s", _SHORT_OF_MEMORY) from error
        except (OSError, WebSocketException) as error:
            raise BrowserError("the browser stopped", _SHORT_OF_MEMORY) from error
        if "error" in reply:
            raise BrowserError(f"the browser refused {method}: {reply['error'].get('message')}")
        result: dict[str, Any] = reply["result"]
        return result


@contextlib.contextmanager
def chromium(executable: str) -> Iterator[Chromium]:
    """Run a browser with a temporary profile; both are removed afterwards.

    Args:
        executable: From `find_chromium`.

    Raises:
        BrowserError: The browser does not start.
    """
    folder = _make_folder()
    try:
        profile, log = folder / "profile", folder / "log"
        # Chromium refuses to run its sandbox as root.
        root = getattr(os, "geteuid", lambda: 1)() == 0
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 (the user's own browser)
                [
                    executable,
                    f"--user-data-dir={profile}",
                    *(["--no-sandbox"] if root else []),
                    *_FLAGS,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "TMPDIR": str(folder)},
                start_new_session=True,  # so that Ctrl-C reaches only this process, which ends the browser
            )
        try:
            port, path = _endpoint(process, profile, log)
            # With a socket of its own, the client ignores proxy settings.
            with (
                socket.create_connection(("127.0.0.1", port)) as raw,
                connect(
                    f"ws://127.0.0.1:{port}{path}", sock=raw, max_size=None, compression=None
                ) as connection,
            ):
                browser = Chromium(connection)
                try:
                    yield browser
                finally:
                    with contextlib.suppress(BrowserError):
                        browser.ask("Browser.close")
        finally:
            _end(process)
    finally:
        _remove(folder)


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    if len(str(folder)) > _LONGEST_FOLDER and os.path.isdir("/tmp"):  # noqa: S108 (named at random within)
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))
    return folder


def _endpoint(process: "subprocess.Popen[bytes]", profile: Path, log: Path) -> tuple[int, str]:
    """Return the port and path that Chromium writes to its profile once it listens."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            port, path = (profile / "DevToolsActivePort").read_text("ascii").split("\n")
            return int(port), path.strip()
        time.sleep(0.05)
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    said = lines[-1][-300:] if lines else "it said nothing"
    raise BrowserError(f"the browser did not start: {said}", "Try another: --browser PATH.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the browser and its children to end; kill what is left."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S if process.poll() is None else 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # the process group it was started in
        else:
            process.kill()
    process.wait()


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _END_S
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)  # its last processes may still be writing
        if folder.exists():
            time.sleep(0.05)
