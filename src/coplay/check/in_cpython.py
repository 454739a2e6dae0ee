"""A process that examines an environment in CPython: `python -m coplay.check.in_cpython`.

What the environment prints, patches or breaks stays in that process, and strings hash as in browsers.
Requests and replies are lines of JSON. In addition to those of `examination.answer` there is
`{do: "dependencies", environment}`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from coplay.wasm.simulation_process import SimulationProcess, end_process

_BALLAST_OBJECTS = 20_011
_HINT = "Play it outside coplay first, with random actions."


@contextlib.contextmanager
def cpython_simulation(
    environment: str, *, displaced: bool = False, hash_seed: int = 0, timeout_s: float | None = None
) -> Iterator[SimulationProcess]:
    """Start the process.

    Args:
        environment: Name of the environment, for error messages.
        displaced: Whether to shift memory addresses; some systems give every process the same ones.
        hash_seed: Seed of string hashes; 0 in browsers.
        timeout_s: The longest wait for one reply; None for no limit.

    Raises:
        RuntimeUnavailableError: The process does not start.
    """
    words = [sys.executable, "-m", "coplay.check.in_cpython", *(["--displaced"] if displaced else [])]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (our own program)
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            start_new_session=True,  # so that Ctrl-C reaches only this process, which ends the other
        )
        done = False
        try:
            who = f"{environment}, or the process that played it,"
            yield SimulationProcess(process, log, who=who, hint=_HINT, timeout_s=timeout_s)
            done = True
        finally:
            end_process(process, kill=not done)


def main() -> None:
    """Answer requests until standard input ends."""
    from coplay.check.dependencies import find_dependencies
    from coplay.check.probes.examination import answer

    # What the environment prints must not look like a reply, and it must not wait for a key.
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    count = _BALLAST_OBJECTS * ("--displaced" in sys.argv)
    ballast = [[{number: []}, object(), bytes(number % 500)] for number in range(count)]
    del ballast[::3]  # leaves holes of every size for later objects
    print("{}", file=answers, flush=True)
    for line in requests:
        request = json.loads(line)
        if request["do"] == "dependencies":
            reply = json.dumps(find_dependencies(request["environment"]))
        else:
            reply = answer(line)
        print(reply, file=answers, flush=True)


if __name__ == "__main__":
    main()
