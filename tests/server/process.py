"""A server of the duel study as a process of its own, which a test can kill: `process.py FOLDER PORT`."""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.server.conftest import duel_study, running  # noqa: E402
from tests.server.test_rejoin import PATIENT  # noqa: E402


async def main(folder: Path, port: int) -> None:
    async with running(duel_study(hold=30), folder, PATIENT, port=port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
