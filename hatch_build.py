"""Puts the built page into the package: `pip wheel .` works from a clean checkout."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """Builds web/ into src/coplay/_web where it is missing or old; editable installs leave that to make."""

    def dependencies(self) -> list[str]:
        """Ask for a Node only where the system has none that is new enough."""
        web = self._web()
        return [web.NODE_PACKAGE] if web and not web.is_built() and web.find_node() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page before files are collected."""
        web = self._web()
        if web and version != "editable":
            web.build()

    def _web(self) -> ModuleType | None:
        path = Path(self.root, "tools", "web.py")
        if not path.is_file():
            return None
        spec = importlib.util.spec_from_file_location("coplay_web_build", path)
        if spec is None or spec.loader is None:
            return None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
