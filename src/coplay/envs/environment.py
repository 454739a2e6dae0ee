"""One interface for all environments: players in a fixed order, and one step for all of them together.

A Gymnasium environment has one player; a PettingZoo `ParallelEnv` has one per possible agent. The original
object is never modified or replaced: a study that draws gets it as `unwrapped`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from coplay.envs.actions import ActionCodec, codec_for
from coplay.envs.state.globals import find_namespaces
from coplay.errors import UnusableEnvironmentError


class StepResult(NamedTuple):
    """The results of one step, by player.

    Attributes:
        rewards: This step's reward of each player; 0 for an agent that has left.
        terminated: True for each player whose agent reached a terminal state in this step.
        truncated: True for each player whose episode was cut off in this step.
    """

    rewards: tuple[float, ...]
    terminated: tuple[bool, ...]
    truncated: tuple[bool, ...]


class LastAnswer:
    """The results of the last reset or step that later frames need; they are part of every snapshot.

    The name of the class and its module are part of every checksum and must not change.

    Attributes:
        observations: The last observation of each player; None before the first reset.
        present: True for each player whose agent still acts in this episode.
    """

    def __init__(self, n_players: int) -> None:
        self.observations: tuple[Any, ...] = (None,) * n_players
        self.present: tuple[bool, ...] = (True,) * n_players


class Environment:
    """An environment as a game sees it.

    Args:
        env: The environment with its wrappers.
        agents: Its agents by `player_id`.
        action_spaces: Their action spaces.

    Attributes:
        agents: Agents by `player_id`: PettingZoo's `possible_agents`, or `(0,)`.
        n_players: Number of players.
        codecs: Each player's action codec.
        render_fps: Frames per second that the environment asks for, or None.
        env: The environment with its wrappers.
        unwrapped: The environment itself.
        live: What the last reset or step returned.
        pristine: A snapshot from before the first game, with which every game starts; None until then.
    """

    def __init__(self, env: Any, agents: tuple[Any, ...], action_spaces: tuple[Any, ...]) -> None:
        self.env = env
        self.unwrapped = env.unwrapped
        self.agents = agents
        self.n_players = len(agents)
        self.codecs: tuple[ActionCodec, ...] = tuple(codec_for(s, i) for i, s in enumerate(action_spaces))
        fps = (getattr(env, "metadata", None) or {}).get("render_fps")
        self.render_fps = float(fps) if fps else None
        self.live = LastAnswer(self.n_players)
        self.pristine: Any = None

    @property
    def observations(self) -> tuple[Any, ...]:
        """The last observation of each player."""
        return self.live.observations

    def roots(self) -> dict[str, Any]:
        """Return the objects from which the walk over this environment's state begins, by name."""
        roots: dict[str, Any] = {"env": self.unwrapped}
        layer = self.env
        while layer is not self.unwrapped:
            roots[type(layer).__name__] = layer
            layer = getattr(layer, "env", self.unwrapped)
        roots |= find_namespaces(list(roots.values()))
        roots["live"] = self.live
        return roots

    def reset(self, seed: int) -> None:
        """Start an episode.

        Args:
            seed: Its seed, 0 to 2³¹-1.
        """
        raise NotImplementedError

    def step(self, actions: tuple[Any, ...]) -> StepResult:
        """Advance by one step.

        Args:
            actions: One decoded action per player. Those of agents that have left are ignored.
        """
        raise NotImplementedError

    @property
    def episode_over(self) -> bool:
        """True if no agent acts any more."""
        return not any(self.live.present)

    def render(self) -> Any:
        """Return the environment's own rendering: an RGB array, a text, or None."""
        picture = self.env.render()
        return picture[-1] if isinstance(picture, list) and picture else picture


class GymEnvironment(Environment):
    """A Gymnasium environment: one player."""

    def __init__(self, env: Any) -> None:
        super().__init__(env, (0,), (env.action_space,))

    def reset(self, seed: int) -> None:
        """Start an episode."""
        observation, _info = self.env.reset(seed=seed)
        self.live.observations = (observation,)
        self.live.present = (True,)

    def step(self, actions: tuple[Any, ...]) -> StepResult:
        """Advance by one step with the only player's action."""
        observation, reward, terminated, truncated, _info = self.env.step(actions[0])
        terminated, truncated = bool(terminated), bool(truncated)
        live = self.live
        live.observations = (observation,)
        live.present = (not (terminated or truncated),)
        return StepResult((float(reward),), (terminated,), (truncated,))


class ParallelEnvironment(Environment):
    """A PettingZoo `ParallelEnv`: one player per possible agent. Agents may leave before the episode ends."""

    def __init__(self, env: Any) -> None:
        agents = tuple(env.possible_agents)
        if not agents:
            raise UnusableEnvironmentError(
                f"{type(env.unwrapped).__name__} has no possible agents.",
                "Set `possible_agents` in its constructor.",
            )
        super().__init__(env, agents, tuple(env.action_space(agent) for agent in agents))

    def reset(self, seed: int) -> None:
        """Start an episode."""
        observations, _infos = self.env.reset(seed=seed)
        acting = self.env.agents
        self.live.observations = tuple(observations.get(agent) for agent in self.agents)
        self.live.present = tuple(agent in acting for agent in self.agents)

    def step(self, actions: tuple[Any, ...]) -> StepResult:
        """Advance by one step with the actions of the agents that still act."""
        live, agents, env = self.live, self.agents, self.env
        chosen = {a: action for a, action, here in zip(agents, actions, live.present, strict=True) if here}
        observations, rewards, terminations, truncations, _infos = env.step(chosen)
        terminated = tuple(bool(terminations.get(agent, False)) for agent in agents)
        truncated = tuple(bool(truncations.get(agent, False)) for agent in agents)
        acting = env.agents
        live.observations = tuple(
            observations.get(agent, last) for agent, last in zip(agents, live.observations, strict=True)
        )
        live.present = tuple(
            agent in acting and not (over or cut)
            for agent, over, cut in zip(agents, terminated, truncated, strict=True)
        )
        return StepResult(tuple(float(rewards.get(agent, 0.0)) for agent in agents), terminated, truncated)
