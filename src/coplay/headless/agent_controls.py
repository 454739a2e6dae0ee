"""The controls of a headless peer's seat: an agent in place of a keyboard."""

from collections.abc import Callable

from coplay.browser.controls import Controls
from coplay.browser.driver import Bot
from coplay.envs import Environment


class AgentControls(Controls):
    """Controls that ask the agent for one action per frame.

    Args:
        keyboard: The controls they replace; their default action stays.
        agent: Chooses the actions.
        environment: Passed to the agent.
        player: The seat.
        is_catching_up: Returns True while the game's state is still on its way to this peer; until then the
            agent would see a game that is not the one being played.
    """

    def __init__(
        self,
        keyboard: Controls,
        agent: Bot,
        environment: Environment,
        player: int,
        is_catching_up: Callable[[], bool],
    ) -> None:
        self.default = keyboard.default
        self._is_catching_up = is_catching_up
        self._agent = agent
        self._environment = environment
        self._player = player
        self._chosen: bytes | None = None

    @property
    def action(self) -> bytes:
        """The encoded action of the current frame."""
        if self._is_catching_up():
            return self.default
        # The driver reads the action at every tick; the agent is asked once per frame.
        if self._chosen is None:
            action = self._agent(self._environment.unwrapped, self._player)
            self._chosen = self._environment.codecs[self._player].encode(action)
        return self._chosen

    def frame_advanced(self) -> None:
        """Let the agent choose again."""
        self._chosen = None
