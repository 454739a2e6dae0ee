"""A participant in a separate Firefox process, driven by Mozilla's Marionette client without geckodriver."""

import base64
import os
import socket
import warnings
from pathlib import Path
from typing import Any

from playtest.network import Machine
from playtest.participant import PAGE_SCRIPT, Participant

with warnings.catch_warnings():
    # Its dependencies use a deprecated function to detect the Linux distribution.
    warnings.simplefilter("ignore")
    from marionette_driver import By, Wait
    from marionette_driver.marionette import Marionette

EXECUTABLE = os.environ.get("FIREFOX", "/usr/bin/firefox-esr")

_PREFERENCES = {
    # Plain host candidates, including loopback, because the peers share a machine.
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.loopback": True,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "network.prefetch-next": False,
}
_SCRIPT_SECONDS = 180


class Firefox(Participant):
    """A participant in Firefox.

    The page script is injected after navigation, so `transitions` may lack the first phases of a page.

    Args:
        name: The participant's name in messages.
        folder: The folder for Firefox's log.
        machine: The machine on which the browser runs; None for this one.
    """

    def __init__(self, name: str, folder: Path, machine: Machine | None = None) -> None:
        super().__init__(name)
        folder.mkdir(parents=True, exist_ok=True)
        program, port = EXECUTABLE, _free_port()
        if machine is not None:
            program = str(machine.wrapper(EXECUTABLE, folder / f"{name}.sh"))
            machine.forward(port)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._marionette = Marionette(
                app="fxdesktop",  # otherwise it is looked up in a file next to the program
                bin=program,
                headless=True,
                host="127.0.0.1",
                port=port,
                startup_timeout=90,
                gecko_log=str(folder / f"{name}.log"),
                prefs=dict(_PREFERENCES),
            )
            self._marionette.start_session()
        self._marionette.timeout.script = _SCRIPT_SECONDS
        self._page = ""

    def _navigate(self, url: str) -> None:
        self._marionette.navigate(url)
        self._marionette.execute_script(PAGE_SCRIPT, sandbox=None)

    def run(self, body: str, *arguments: Any) -> Any:
        # Errors are returned as text, because Marionette's own report would not include what the page threw.
        answer = self._marionette.execute_async_script(
            f"const args = arguments[0], done = arguments[1];"
            f"(async () => {{ {body} }})()"
            ".then((value) => done({value}), (error) => done({error: `${error}`}))",
            script_args=(list(arguments),),
            sandbox=None,
        )
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")

    def click(self, testid: str) -> None:
        selector = f'[data-testid="{testid}"]:not([disabled])'
        Wait(self._marionette, timeout=30).until(
            lambda marionette: marionette.find_element(By.CSS_SELECTOR, selector).is_displayed()
        )
        self._marionette.find_element(By.CSS_SELECTOR, selector).click()

    def hide(self) -> None:
        """Hide the page behind another tab. The page cannot be queried until `show`."""
        self._page = self._marionette.current_window_handle
        cover = self._marionette.open(type="tab", focus=True)["handle"]
        self._marionette.switch_to_window(cover, focus=True)

    def show(self) -> None:
        """Close the tab that hides the page."""
        self._marionette.close()
        self._marionette.switch_to_window(self._page, focus=True)

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._marionette.screenshot()))

    def close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._marionette.quit()
            # Removes the profile now, because that fails when the interpreter exits.
            self._marionette.cleanup()


def firefox_is_there() -> bool:
    """Return True if Firefox is installed."""
    return Path(EXECUTABLE).exists()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
