"""From what a study names to an `Environment`, or one plain sentence about why not.

| Given | Becomes |
|---|---|
| `"CartPole-v1"` | `gymnasium.make` |
| `"package:id"` | import the package; the id in Gymnasium's registry, or else its own `make(id)` |
| `"module:factory"` | import the module (also from the current folder), then call the factory |
| an `EnvSpec`, a `gym.Env`, a PettingZoo `ParallelEnv` | itself |
| any other callable | called |

Constructing happens inside a simulated frame, so that whatever a constructor draws is the same for every
peer.
"""

from __future__ import annotations

import copy
import difflib
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from coplay.envs import taming, wasm_stubs
from coplay.envs.environment import Environment, GymEnvironment, ParallelEnvironment
from coplay.errors import UnusableEnvironmentError

_PACKAGE_OF = {
    "ale_py": "ale-py",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "Box2D": "gymnasium[box2d]",
    "pygame": "pygame-ce",
}
_CONSTRUCTION_SEED = 0


def load_environment(spec: Any, *, render: bool = False) -> Environment:
    """Make an environment ready to be played.

    Args:
        spec: A Gymnasium id, `package:id`, `module:factory`, an `EnvSpec`, a factory, or an environment.
        render: Ask for a render mode that gives pictures (`rgb_array`) or else text (`ansi`). All peers of a
            game must agree on it: some environments keep more state when they can draw.

    Raises:
        UnusableEnvironmentError: It cannot be made, or cannot be played peer to peer; the message says why.
    """
    wasm_stubs.install()
    gymnasium = _import("gymnasium")
    if isinstance(spec, Environment):
        return spec
    taming.install()
    with taming.SimulatedFrame(_CONSTRUCTION_SEED, -1, 0.0):
        env = _make(spec, gymnasium, render)
    _refuse_nondeterministic(getattr(env, "spec", None))
    environment = _adapt(env, gymnasium, spec)
    taming.install()  # again: modules that the environment brought may hold names of what is tamed
    taming.install_dates(type(environment.unwrapped).__module__.partition(".")[0])
    return environment


def _make(spec: Any, gymnasium: ModuleType, render: bool) -> Any:
    if isinstance(spec, gymnasium.envs.registration.EnvSpec):
        return _make_registered(spec, gymnasium, render)
    if isinstance(spec, str):
        return _make_named(spec, gymnasium, render)
    if hasattr(spec, "step") and hasattr(spec, "reset") and not isinstance(spec, type):
        return spec
    if callable(spec):
        return _call(spec, getattr(spec, "__name__", repr(spec)), render)
    raise UnusableEnvironmentError(
        f"{spec!r} is not an environment.",
        "Give a Gymnasium id, 'package:id', 'module:factory', an environment, or a function that makes one.",
    )


def _make_named(name: str, gymnasium: ModuleType, render: bool) -> Any:
    registry = gymnasium.envs.registration.registry
    module_name, colon, rest = name.partition(":")
    if not colon:
        if name in registry:
            return _make_registered(registry[name], gymnasium, render)
        raise _unknown(name, registry, "Gymnasium's registry")
    module = _import(module_name)
    factory: Any = module
    for part in rest.split("."):
        factory = getattr(factory, part, None)
    if callable(factory):
        return _call(factory, name, render)
    if rest in registry:
        return _make_registered(registry[rest], gymnasium, render)
    make = getattr(module, "make", None)
    if callable(make):
        return _call_make(make, rest, name, render)
    choices = [entry for entry in registry if _comes_from(registry[entry], module_name)]
    choices += [
        public for public in vars(module) if not public.startswith("_") and callable(vars(module)[public])
    ]
    raise _unknown(rest, choices, module_name)


def _make_registered(spec: Any, gymnasium: ModuleType, render: bool) -> Any:
    _refuse_nondeterministic(spec)
    # Checks of a study's own making run in `coplay check`; the wrappers that repeat them cost every step.
    spec = copy.deepcopy(spec)
    spec.order_enforce = False
    mode: dict[str, Any] = {}
    if render and (chosen := _render_mode(_metadata_of(spec, gymnasium))):
        mode = {"render_mode": chosen}

    def make() -> Any:
        if isinstance(spec.entry_point, str):
            with taming.real_dates():
                importlib.import_module(spec.entry_point.partition(":")[0])
        return gymnasium.make(spec, disable_env_checker=True, **mode)

    return _attempt(make, spec.id)


def _call(factory: Callable[..., Any], name: str, render: bool) -> Any:
    mode = _render_mode(getattr(factory, "metadata", None)) if render else None
    if render and mode is None and not isinstance(factory, type):
        mode = "rgb_array"
    if mode is not None and _accepts(factory, "render_mode"):
        return _attempt(lambda: factory(render_mode=mode), name)
    return _attempt(factory, name)


def _call_make(make: Callable[..., Any], env_id: str, name: str, render: bool) -> Any:
    """Call a package's own `make`; its error for an unknown id usually lists the ids it knows."""
    try:
        return (
            make(env_id, render_mode="rgb_array")
            if render and _accepts(make, "render_mode")
            else make(env_id)
        )
    except (KeyError, ValueError, LookupError) as error:
        known = re.findall(r"'([^']+)'", str(error))
        if env_id in str(error) and env_id not in known:
            raise _unknown(env_id, known, name.partition(":")[0]) from error
        raise _constructor_failed(name, error) from error
    except Exception as error:
        raise _constructor_failed(name, error) from error


def _attempt(make: Callable[[], Any], name: str) -> Any:
    try:
        return make()
    except UnusableEnvironmentError:
        raise
    except Exception as error:
        raise _constructor_failed(name, error) from error


def _adapt(env: Any, gymnasium: ModuleType, spec: Any) -> Environment:
    if isinstance(env, gymnasium.Env):
        return GymEnvironment(env)
    if isinstance(env, gymnasium.vector.VectorEnv):
        raise UnusableEnvironmentError(
            f"{_title(spec)} is a vector environment, many copies at once.",
            "Give the environment that it holds copies of.",
        )
    if hasattr(env, "possible_agents") and callable(getattr(env, "action_space", None)):
        if hasattr(env, "agent_iter"):
            raise UnusableEnvironmentError(
                f"{_title(spec)} is a turn-based (AEC) environment; players here act at the same time.",
                "Use its `parallel_env`, or pettingzoo.utils.conversions.aec_to_parallel.",
            )
        return ParallelEnvironment(env)
    raise UnusableEnvironmentError(
        f"{_title(spec)} gave a {type(env).__name__}: neither a gymnasium.Env nor a PettingZoo ParallelEnv.",
        "Let it derive from one of these, or return one.",
    )


def _refuse_nondeterministic(spec: Any) -> None:
    if getattr(spec, "nondeterministic", False):
        raise UnusableEnvironmentError(
            f"{spec.id} is registered as nondeterministic; peers that each simulate it would drift apart.",
            "If it is deterministic once seeded, register it with nondeterministic=False.",
        )


def _import(name: str) -> ModuleType:
    here = os.getcwd()
    added = here not in sys.path and "" not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        with taming.real_dates():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        package = _PACKAGE_OF.get(missing.partition(".")[0], missing.partition(".")[0])
        what = (
            f"There is no module {name}" if missing == name else f"{name} needs {missing}, which is missing"
        )
        raise UnusableEnvironmentError(
            f"{what}.", f"Is it spelled right? Otherwise: pip install {package}"
        ) from error
    except Exception as error:
        raise UnusableEnvironmentError(
            f"Importing {name} failed with {_said(error)}.", f"Try it alone: python -c 'import {name}'"
        ) from error
    finally:
        if added and here in sys.path:
            sys.path.remove(here)


def _unknown(name: str, choices: Iterable[str], where: str) -> UnusableEnvironmentError:
    close = difflib.get_close_matches(name, list(choices), n=3, cutoff=0.5)
    hint = f"Close: {', '.join(close)}." if close else "Ids of other packages are written package:id."
    return UnusableEnvironmentError(f"There is no environment {name} in {where}.", hint)


def _constructor_failed(name: str, error: Exception) -> UnusableEnvironmentError:
    hint = "Fix what its constructor says, or give a factory that passes the arguments it needs."
    missing = re.search(r"pip install [\w\[\]\"'-]+", str(error))
    if missing:
        hint = missing.group().replace('"', "").replace("'", "")
    elif isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"pip install {_PACKAGE_OF.get(error.name, error.name)}"
    return UnusableEnvironmentError(f"Making {name} failed with {_said(error)}.", hint)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__


def _title(spec: Any) -> str:
    return spec if isinstance(spec, str) else getattr(spec, "__name__", None) or type(spec).__name__


def _comes_from(spec: Any, module_name: str) -> bool:
    return isinstance(spec.entry_point, str) and spec.entry_point.startswith(module_name)


def _metadata_of(spec: Any, gymnasium: ModuleType) -> Any:
    try:
        entry = spec.entry_point
        entry = gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
    except Exception:  # the constructor will say it better
        return None
    return getattr(entry, "metadata", None)


def _render_mode(metadata: Any) -> str | None:
    modes = (metadata or {}).get("render_modes") or ()
    return next((mode for mode in ("rgb_array", "ansi") if mode in modes), None)


def _accepts(function: Callable[..., Any], name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)
