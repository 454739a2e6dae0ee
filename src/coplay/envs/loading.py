"""Creates an `Environment` from what a study names, or raises an error that says why it cannot.

| A study names | What happens |
|---|---|
| `"CartPole-v1"` | `gymnasium.make` |
| `"package:id"` | imports the package; takes the id from Gymnasium's registry, or else its own `make(id)` |
| `"module:factory"` | imports the module, also from the current folder, and calls the factory |
| an `EnvSpec` | `gymnasium.make` |
| a `gym.Env`, a PettingZoo `ParallelEnv` | uses it as it is |
| any other callable | calls it |

The constructor runs inside a simulated frame, so that it draws the same random numbers on every peer.
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
    """Return an environment that is ready to be played.

    Args:
        spec: A Gymnasium id, `package:id`, `module:factory`, an `EnvSpec`, a factory, or an environment.
        render: Ask for a render mode that returns pictures (`rgb_array`), or else text (`ansi`). All peers of
            a game must agree on it, because some environments keep more state when they can draw.

    Raises:
        UnusableEnvironmentError: It cannot be created or cannot be played peer to peer. The message says why.
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
    taming.install()  # again, for the modules that the environment has imported
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
        "Pass a Gymnasium id, 'package:id', 'module:factory', an environment, or a factory function.",
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
    # `coplay check` performs the checks of these wrappers once; here they would slow down every step.
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
    # A function has no metadata, so assume the most common mode.
    if render and mode is None and not isinstance(factory, type):
        mode = "rgb_array"
    if mode is not None and _accepts(factory, "render_mode"):
        return _attempt(lambda: factory(render_mode=mode), name)
    return _attempt(factory, name)


def _call_make(make: Callable[..., Any], env_id: str, name: str, render: bool) -> Any:
    """Call a package's own `make`, whose error for an unknown id usually lists the known ids."""
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
            f"{_title(spec)} is a vector environment, which runs many copies in parallel.",
            "Pass the environment that it holds copies of.",
        )
    if hasattr(env, "possible_agents") and callable(getattr(env, "action_space", None)):
        if hasattr(env, "agent_iter"):
            raise UnusableEnvironmentError(
                f"{_title(spec)} is a turn-based (AEC) environment; players here act at the same time.",
                "Use its `parallel_env`, or pettingzoo.utils.conversions.aec_to_parallel.",
            )
        return ParallelEnvironment(env)
    raise UnusableEnvironmentError(
        f"{_title(spec)} returned a {type(env).__name__}, "
        "which is neither a gymnasium.Env nor a PettingZoo ParallelEnv.",
        "Let the class derive from one of these, or return an instance of one.",
    )


def _refuse_nondeterministic(spec: Any) -> None:
    if getattr(spec, "nondeterministic", False):
        raise UnusableEnvironmentError(
            f"{spec.id} is registered as nondeterministic; peers that each simulate it would drift apart.",
            "If it is deterministic once it is seeded, register it with nondeterministic=False.",
        )


def _import(name: str) -> ModuleType:
    # Unlike `python -m`, an installed command does not have the current folder on its path.
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
            f"Importing {name} failed with {_summary(error)}.", f"Try it alone: python -c 'import {name}'"
        ) from error
    finally:
        if added and here in sys.path:
            sys.path.remove(here)


def _unknown(name: str, choices: Iterable[str], where: str) -> UnusableEnvironmentError:
    close = difflib.get_close_matches(name, list(choices), n=3, cutoff=0.5)
    hint = f"Close: {', '.join(close)}." if close else "Ids of other packages are written package:id."
    return UnusableEnvironmentError(f"There is no environment {name} in {where}.", hint)


def _constructor_failed(name: str, error: Exception) -> UnusableEnvironmentError:
    hint = "Fix what its constructor reports, or use a factory that passes the arguments it needs."
    missing = re.search(r"pip install [\w\[\]\"'-]+", str(error))
    if missing:
        hint = missing.group().replace('"', "").replace("'", "")
    elif isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"pip install {_PACKAGE_OF.get(error.name, error.name)}"
    return UnusableEnvironmentError(f"Creating {name} failed with {_summary(error)}.", hint)


def _summary(error: Exception) -> str:
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
    except Exception:  # noqa: BLE001 (calling the constructor later gives the better message)
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
