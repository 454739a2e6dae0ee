"""A participant in a separate Chromium process."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Frame,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

from playtest.conditions import Conditions
from playtest.network import Machine
from playtest.participant import PAGE_SCRIPT, Participant
from playtest.uploads import Uploads

EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SHOWN_ADDRESSES = "--disable-features=WebRtcHideLocalIpsWithMdns"


class ChromiumLauncher:
    """A launcher of participants. A test run has only one, because Playwright runs once in a process.

    Args:
        folder: The folder of the profiles. A participant's name that is used again finds a warm HTTP cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._playwright: Playwright = sync_playwright().start()

    def launch(
        self,
        name: str,
        *,
        hide_addresses: bool = False,
        viewport: tuple[int, int] = (1000, 800),
        machine: Machine | None = None,
    ) -> "Chromium":
        """Start a browser process.

        Args:
            name: The name of the participant and of the profile.
            hide_addresses: True to keep Chromium's default, which hides local addresses behind mDNS names.
            viewport: Width and height of the page, in CSS pixels.
            machine: The machine on which the browser runs; None for this one.
        """
        profile = self._folder / name
        profile.mkdir(parents=True, exist_ok=True)
        net_log = profile / "net-log.json"
        net_log.unlink(missing_ok=True)
        context = self._playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=machine.wrapper(EXECUTABLE, profile / "chromium.sh") if machine else EXECUTABLE,
            args=[*_FLAGS, f"--log-net-log={net_log}", *([] if hide_addresses else [_SHOWN_ADDRESSES])],
            viewport={"width": viewport[0], "height": viewport[1]},
        )
        return Chromium(name, context, net_log)

    def stop(self) -> None:
        """Stop Playwright."""
        self._playwright.stop()


class Chromium(Participant):
    """A participant in Chromium; `ChromiumLauncher.launch` creates one.

    Attributes:
        uploads: The batches and reports that the page posted.
        problems: Console errors and uncaught exceptions, of the page and of its workers.
        requests: The address of every request of the page and its workers, WebSockets included.
    """

    def __init__(self, name: str, context: BrowserContext, net_log: Path) -> None:
        super().__init__(name)
        self.uploads = Uploads()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.console: list[str] = []
        self._context = context
        self._net_log = net_log
        context.add_init_script(PAGE_SCRIPT)
        context.on("request", self._see_request)
        context.on("console", self._see_console)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        self.page: Page = context.pages[0] if context.pages else context.new_page()
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self._asleep: dict[int, str] = {}
        self._devtools = context.new_cdp_session(self.page)
        self._devtools.send("Network.enable")

    # As every participant

    def _navigate(self, url: str) -> None:
        self.page.goto(url)

    def run(self, body: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"async (args) => {{ {body} }}", list(arguments))

    def click(self, testid: str) -> None:
        self.page.get_by_test_id(testid).click()

    def screenshot(self, file: Path) -> None:
        self.page.screenshot(path=str(file))

    def close(self) -> None:
        self._context.close()

    # What only Chromium offers

    def emulate(self, conditions: Conditions) -> None:
        """Apply latency and loss to the peer connections that this page makes *from now on*.

        Apply the same conditions to the peer's browser. Existing connections are not affected.
        """
        self._devtools.send("Network.emulateNetworkConditions", conditions.parameters())

    def sleep(self, asleep: bool) -> None:
        """Suspend the page with its workers and connections, as a machine's sleep does, or wake it up.

        The page does not answer while it is suspended.
        """
        for process, kind in self.process_ids().items() if asleep else self._asleep.items():
            if kind == "renderer":
                self._asleep[process] = kind
                os.kill(process, signal.SIGSTOP if asleep else signal.SIGCONT)

    def open_tab(self) -> Page:
        """Continue in a new tab.

        Returns:
            The old tab, which stays open.
        """
        old = self.page
        self.page = self._context.new_page()
        return old

    def begin_reload(self) -> None:
        """Begin to reload the page, as the browser's button does, without waiting for it."""
        self.page.evaluate("window.left_behind = true; setTimeout(() => location.reload())")

    def end_reload(self) -> None:
        """Wait until the reloaded page is there."""
        self.page.wait_for_function("!window.left_behind && window.playtest")
        self._position = 0

    def close_page(self) -> None:
        """Close the tab, as a person does, but not the browser."""
        spare = self._context.new_page()
        self.page.close(run_before_unload=False)
        self.page = spare

    def frame(self, name: str, position: int) -> "ChromiumFrame":
        """Return the participant in one of the page's frames.

        Args:
            name: The participant's name in messages.
            position: The index of the `<iframe>` in the page, from 0.
        """
        element = self.page.locator("iframe").nth(position).element_handle()
        frame = element.content_frame()
        assert frame is not None
        return ChromiumFrame(name, frame)

    def process_ids(self) -> dict[int, str]:
        """Return process id → kind (`browser`, `renderer`, `GPU`, `utility`) of this browser's processes."""
        browser = self._context.browser
        assert browser is not None
        session = browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return {process["id"]: process["type"] for process in processes}

    def page_requests_on_the_wire(self) -> list[str]:
        """Return all addresses that pages and workers requested, from the browser's network log.

        The network stack writes this log, so that it is complete even if `requests` is not. Call it after
        `close`.
        """
        log = json.loads(self._net_log.read_text("utf-8"))
        parameters = (event.get("params", {}) for event in log["events"])
        return [
            given["url"]
            for given in parameters
            # Requests of the browser itself have no origin as their initiator.
            if "url" in given and given.get("initiator", "not an origin") != "not an origin"
        ]

    def _see_request(self, request: Request) -> None:
        self.requests.append(request.url)
        if request.method == "POST":
            self.uploads.see(request.url, request.post_data_buffer)

    def _see_console(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")
        if message.type == "error":
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")


class ChromiumFrame(Participant):
    """A participant in a frame of a page, as in the demo; `Chromium.frame` creates one."""

    def __init__(self, name: str, frame: Frame) -> None:
        super().__init__(name)
        self._frame = frame

    def _navigate(self, url: str) -> None:
        self._frame.goto(url)

    def run(self, body: str, *arguments: Any) -> Any:
        return self._frame.evaluate(f"async (args) => {{ {body} }}", list(arguments))

    def click(self, testid: str) -> None:
        self._frame.get_by_test_id(testid).click()

    def screenshot(self, file: Path) -> None:
        self._frame.frame_element().screenshot(path=str(file))

    def close(self) -> None:
        """Do nothing: the frame is closed with its page."""
