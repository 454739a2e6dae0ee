"""`python -m coplay.check.in_cpython`: examines an environment in CPython, in a process of its own.

So what the environment prints, patches or breaks stays there, and strings hash as in the browsers. Requests
are those of `examination.answer`, and `{do: "sources", environment}`; a JSON line in, a JSON line out.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from coplay.wasm.simulation_process import SimulationProcess, end_process

_DISPLACED = 20_011
_HINT = "Play it alone first, with random actions."


@contextlib.contextmanager
def cpython_simulation(
    environment: str, *, displaced: bool = False, hash_seed: int = 0, patience_s: float | None = None
) -> Iterator[SimulationProcess]:
    """Start such a process.

    Args:
        environment: What it will play, for errors.
        displaced: Let objects lie elsewhere in memory, also on systems that give every process the same
            addresses.
        hash_seed: How strings hash; 0 in browsers.
        patience_s: How long an answer may take.

    Raises:
        RuntimeUnavailableError: It does not start.
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
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        done = False
        try:
            who = f"{environment}, or the process that it was played in,"
            yield SimulationProcess(process, log, who=who, hint=_HINT, patience_s=patience_s)
            done = True
        finally:
            end_process(process, at_once=not done)


def main() -> None:
    """Answer requests until there are no more."""
    from coplay.check.dependencies import find_dependencies
    from coplay.check.probes.examination import answer

    # What the environment prints must not be taken for an answer, nor may it wait for a key.
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    count = _DISPLACED * ("--displaced" in sys.argv)
    ballast = [[{number: []}, object(), bytes(number % 500)] for number in range(count)]
    del ballast[::3]  # holes of every size
    print("{}", file=answers, flush=True)
    for line in requests:
        request = json.loads(line)
        if request["do"] == "sources":
            reply = json.dumps(find_dependencies(request["environment"]))
        else:
            reply = answer(line)
        print(reply, file=answers, flush=True)


if __name__ == "__main__":
    main()
