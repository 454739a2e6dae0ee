"""A participant in a Firefox process of their own, driven by Mozilla's own client: no driver binary."""

import base64
import os
import socket
import warnings
from pathlib import Path
from typing import Any

from playtest.network import Machine
from playtest.participant import PAGE_SCRIPT, Participant

with warnings.catch_warnings():
    # Its dependencies ask for the Linux distribution in a way that is deprecated.
    warnings.simplefilter("ignore")
    from marionette_driver import By, Wait
    from marionette_driver.marionette import Marionette

EXECUTABLE = os.environ.get("FIREFOX", "/usr/bin/firefox-esr")

_PREFERENCES = {
    # Plain host candidates, and loopback among them: the peers share a machine.
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.loopback": True,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "network.prefetch-next": False,
}
_SCRIPT_SECONDS = 180


class Firefox(Participant):
    """See `Participant`.

    The page script is put in after navigation, so the first phases of a page may be missing in `transitions`.

    Args:
        name: Who this is, in messages.
        folder: Where Firefox's log goes.
        machine: Where it runs; None for this one.
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
                app="fxdesktop",  # it looks beside the program otherwise
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
        # An error is handed over as text: Marionette's own report of it would not say what the page threw.
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
        """Open another tab before the page's. Nothing can be asked of the page meanwhile."""
        self._page = self._marionette.current_window_handle
        cover = self._marionette.open(type="tab", focus=True)["handle"]
        self._marionette.switch_to_window(cover, focus=True)

    def show(self) -> None:
        """Close that tab: the page can be seen again."""
        self._marionette.close()
        self._marionette.switch_to_window(self._page, focus=True)

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._marionette.screenshot()))

    def close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._marionette.quit()
            # Removes the profile now; left to the interpreter's end, it fails there.
            self._marionette.cleanup()


def firefox_is_there() -> bool:
    """Whether this machine has the browser."""
    return Path(EXECUTABLE).exists()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
