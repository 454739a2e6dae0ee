"""The interface of a participant in any browser, for tests and benches."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

PAGE_SCRIPT = (Path(__file__).parent / "page.js").read_text("utf-8")

ARROWS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")


class WaitError(AssertionError):
    """Raised if a participant did not reach an expected state; the message describes their state."""


class Participant(ABC):
    """A browser process with one page, driven through the automation contract.

    `wait_for` reads the page's history of scenes and phases since its last match, so that it does not miss a
    phase that lasted only a millisecond, and tests need not sleep.

    Args:
        name: The participant's name in messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._position = 0

    # Implemented by each browser

    @abstractmethod
    def _navigate(self, url: str) -> None: ...

    @abstractmethod
    def run(self, body: str, *arguments: Any) -> Any:
        """Run the body of an async JavaScript function in the page; `args` holds the arguments."""

    @abstractmethod
    def click(self, testid: str) -> None:
        """Click the element with this `data-testid`, once it is there and enabled."""

    @abstractmethod
    def screenshot(self, file: Path) -> None:
        """Write a PNG of the page."""

    @abstractmethod
    def close(self) -> None:
        """End the browser process."""

    # The contract

    def open(self, url: str) -> None:
        """Go to an address."""
        self._position = 0
        self._navigate(url)

    def wait_for(self, scene: str | None = None, phase: str | None = None, timeout_s: float = 60) -> float:
        """Wait until the page is in a scene and phase, or has been since the last wait.

        Args:
            scene: `data-scene`; None for any.
            phase: `data-phase`; None for any.
            timeout_s: Longest wait, in seconds.

        Returns:
            The time at which the page got there, in seconds since 1970.

        Raises:
            WaitError: The page did not get there in time.
        """
        found = self.run(
            "return playtest.reached(...args)", scene, phase, self._position, round(1000 * timeout_s)
        )
        if found is None:
            raise WaitError(f"{self.name} did not reach {scene or '*'}/{phase or '*'}: {self.describe()}")
        self._position = found["index"]
        return float(found["at_ms"]) / 1000

    def wait_until(self, figure: str, least: float, timeout_s: float = 30) -> dict[str, Any]:
        """Wait until a number in `stats()` is at least `least`; for a figure per peer, any of them.

        Raises:
            WaitError: The number stayed below `least`.
        """
        found = self.run("return playtest.figure(...args)", figure, least, round(1000 * timeout_s))
        if found is None:
            raise WaitError(f"{self.name}'s {figure} stayed under {least}: {self.describe()}")
        return dict(found)

    def wait_for_link(self, kind: str, timeout_s: float = 30) -> None:
        """Wait until the link to every peer is of one kind: `direct`, `turn` or `relay`.

        Raises:
            WaitError: The link to some peer is still of another kind.
        """
        if not self.run("return playtest.linked(...args)", kind, round(1000 * timeout_s)):
            raise WaitError(f"{self.name} does not reach everybody by {kind}: {self.describe()}")

    def wait_for_runtime(self, timeout_s: float = 120) -> None:
        """Wait until the simulation's runtime is loaded, in any scene.

        Raises:
            WaitError: The runtime was not loaded in time.
        """
        if not self.run("return playtest.runtimeReady(...args)", round(1000 * timeout_s)):
            raise WaitError(f"{self.name}'s runtime was not loaded in {timeout_s:g} s: {self.describe()}")

    def click_continue(self) -> None:
        """Click the button that leads to the next scene."""
        self.click("continue")

    def stats(self) -> dict[str, Any]:
        """Return the current `window.coplay.stats()`."""
        return dict(self.run("return window.coplay.stats()"))

    def press(self, *keys: str) -> None:
        """Hold these keys and release all others."""
        self.run("window.coplay.press(args)", *keys)

    def play(self, seed: int, keys: tuple[str, ...] = ARROWS) -> None:
        """Press random keys, changing every 150 to 300 ms, until `rest` or the end of the page."""
        self.run("playtest.play(args[0], args.slice(1))", seed, *keys)

    def rest(self) -> None:
        """Release all keys and stop pressing random ones."""
        self.run("playtest.rest()")

    # Observations

    def transitions(self) -> list[dict[str, Any]]:
        """Return each scene and phase of this page so far, with its time in milliseconds since 1970."""
        return list(self.run("return playtest.transitions"))

    def policy_violations(self) -> list[str]:
        """Return what the page's Content-Security-Policy has blocked."""
        return list(self.run("return playtest.violations"))

    def describe(self) -> str:
        """Return a description of this participant's state, for a message."""
        try:
            seen = self.run(
                "return {path: playtest.transitions.map(at => `${at.scene}/${at.phase}`),"
                " text: document.body.innerText.slice(0, 400), stats: window.coplay?.stats?.() ?? null}"
            )
        except Exception as error:
            return f"the page does not answer ({error})"
        stats = json.dumps(seen["stats"])
        return f"came through {' → '.join(seen['path'])}; reads {seen['text']!r}; stats {stats}"
