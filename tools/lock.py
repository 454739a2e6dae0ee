"""Renews requirements/*.lock: exact versions and hashes, for every system and Python 3.11 or later.

Needs `uv` next to this Python. The locks name no index, so that the user's own index is used.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")
OPTIONS = (
    *("--quiet", "--upgrade", "--universal", "--python-version=3.11", "--generate-hashes"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
)


def lock(name: str, *inputs: str) -> None:
    """Write one lock file."""
    output = f"requirements/{name}.lock"
    subprocess.run([UV, "pip", "compile", *OPTIONS, *inputs, "-o", output], cwd=ROOT, check=True)
    text = (ROOT / output).read_text("utf-8")
    if "://" in text:
        sys.exit(f"{output} names an address.")


if __name__ == "__main__":
    project = ("pyproject.toml", "requirements/build.in")
    lock("develop", *project, "--all-extras", "--group", "dev")
    extras = ("--extra", "examples", "--extra", "postgres")
    lock("install", *project, *extras, "--constraint", "requirements/develop.lock")
    lock("node", "requirements/node.in")
