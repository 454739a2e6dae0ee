"""`python -P stored_code.py FOLDER MODULE`: answers requests with a recorded game's own code, in CPython.

A script and no module of a package, as the coplay that it imports is the recorded one: that of FOLDER, which
comes before everything else that is installed. A JSON line in, a JSON line out; requests go to the function
`answer` of the module. What the study prints goes aside.
"""

import importlib
import os
import sys


def main(folder: str, module: str) -> None:
    """Answer requests until there are no more."""
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
