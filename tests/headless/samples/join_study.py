"""Run headless peers in one study at the same time; print their log, and a JSON object for each outcome.

    python join_study.py URL STUDY COUNT [IDENTITY]

Each plays random actions with its own seed. With an identity file COUNT must be 1.
"""

import asyncio
import json
import logging
import sys
from dataclasses import asdict
from random import Random
from typing import Any

from coplay.headless import join


def agent_of(seed: int) -> Any:
    source = Random(seed)

    def agent(env: Any, player_id: int) -> int:
        return source.randrange(int(env.action_space(env.possible_agents[player_id]).n))

    return agent


async def main(url: str, study: str, count: int, identity: str | None = None) -> None:
    async with asyncio.timeout(120):
        peers = (join(url, study=study, agent=agent_of(seed), identity=identity) for seed in range(count))
        for outcome in await asyncio.gather(*peers):
            print(json.dumps(asdict(outcome)), flush=True)


logging.basicConfig(format="%(message)s", stream=sys.stdout)
logging.getLogger("coplay.headless").setLevel(logging.INFO)
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
