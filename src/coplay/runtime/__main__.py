"""`python -m coplay.runtime [--quiet] [PACKAGE==VERSION ...]`: prepare the browser runtime."""

import sys

from coplay.errors import CoplayError
from coplay.runtime import ensure_runtime, shown_progress
from coplay.runtime.bundle import coplay_part


def main(words: list[str]) -> int:
    """Prepare a runtime, print where it is unless `--quiet` is given, and return the exit code."""
    packages = [word for word in words if word != "--quiet"]
    try:
        with shown_progress() as progress:
            runtime = ensure_runtime(packages, progress=progress)
            coplay_part(runtime, progress=progress)
    except CoplayError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)
        return 1
    if "--quiet" not in words:
        print(f"Browser runtime ready: {runtime.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
