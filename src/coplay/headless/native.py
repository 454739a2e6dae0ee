"""`python -m coplay.headless.native`: examines an environment in CPython, in a process of its own.

So what the environment prints, patches or breaks stays there, and strings hash as in the browsers. The
request comes on standard input; the answer is the last line of standard output, with `sources` added.

With `displaced` in the request objects come to lie elsewhere in memory, also on systems that give every
process the same addresses.
"""

import contextlib
import json
import sys

from coplay.headless.examination import answer
from coplay.headless.sources import find_sources

_DISPLACED = 20_000


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    count = _DISPLACED * request.pop("displaced")
    ballast = [[{number: []}, object(), bytes(number % 500)] for number in range(count)]
    with contextlib.redirect_stdout(sys.stderr):
        reply = json.loads(answer(json.dumps(request)))
        if "error" not in reply:
            reply["sources"] = find_sources(request["environment"])
    print(json.dumps(reply))
    del ballast


if __name__ == "__main__":
    main()
