"""A package with a `make` of its own, as some have."""

from __future__ import annotations

from typing import Any

from loading_samples import Sided


def make(env_id: str, render_mode: str | None = None) -> Any:
    if env_id == "broken":
        raise OSError("no level file")
    if env_id == "strange":
        raise ValueError("the size must be odd")
    if env_id != "Sided-v0":
        raise KeyError(f"{env_id} is not one of 'Sided-v0', 'Sided-v1'")
    return Sided(render_mode)
