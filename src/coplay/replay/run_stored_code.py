"""A script that answers requests with a recorded game's own code, in CPython.

Usage: `python -P run_stored_code.py FOLDER MODULE`. It is a script and not imported as part of coplay,
because the coplay that it imports is the recorded one in FOLDER, which precedes everything installed.
Requests and replies are lines of JSON; requests go to the function `answer` of MODULE. What the study prints
goes to standard error.
"""

import importlib
import os
import sys


def main(folder: str, module: str) -> None:
    """Answer requests until standard input ends."""
    # What the study prints must not look like a reply, and it must not read requests.
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.path.insert(0, folder)
    answer = importlib.import_module(module).answer
    print("{}", file=answers, flush=True)
    for line in requests:
        print(answer(line), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
