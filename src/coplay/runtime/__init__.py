"""The browser runtime (fetched, precompiled, locked, served), and the bundle of the study's code."""

from coplay.runtime.building.assembly import Runtime, ensure_runtime
from coplay.runtime.bundle import Bundle, build_bundle
from coplay.runtime.lock import RuntimeLock
from coplay.runtime.node import find_node, find_npm
from coplay.runtime.progress import ReportProgress, shown_progress, silent
from coplay.runtime.serving import ServedFile
from coplay.runtime.stored_copies import keep_runtime

__all__ = [
    "Bundle",
    "ReportProgress",
    "Runtime",
    "RuntimeLock",
    "ServedFile",
    "build_bundle",
    "ensure_runtime",
    "find_node",
    "find_npm",
    "keep_runtime",
    "shown_progress",
    "silent",
]
