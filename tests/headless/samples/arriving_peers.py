"""Run headless peers that join a study at random times; print a JSON object for each outcome.

python arriving_peers.py URL STUDY COUNT SEED SECONDS
"""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from coplay.headless import Outcome, join
from coplay.headless.study_client import StudyClient  # loads aiortc before the first peer arrives


def agent_of(chance: Random) -> Any:
    """Return an agent that holds each key for a while, as people do."""
    held = {"key": 0, "until": 0}

    def agent(env: Any, player_id: int) -> int:
        held["until"] -= 1
        if held["until"] < 0:
            held.update(key=chance.randrange(3), until=chance.randrange(5, 20))
        return held["key"]

    return agent


async def visit(url: str, study: str, after_s: float, chance: Random) -> Outcome:
    await asyncio.sleep(after_s)
    return await join(url, study=study, agent=agent_of(chance))


async def main(url: str, study: str, count: int, seed: int, seconds: float) -> None:
    chance = Random(seed)
    StudyClient(url, Path(study), agent_of(chance))  # loads the study as well
    async with asyncio.timeout(150), asyncio.TaskGroup() as group:
        visits = [
            group.create_task(visit(url, study, chance.uniform(0, seconds), Random(chance.random())))
            for _ in range(count)
        ]
    for each in visits:
        print(json.dumps(asdict(each.result())), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
