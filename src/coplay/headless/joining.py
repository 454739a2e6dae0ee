"""A Python client that joins a study as one participant and plays with a policy."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from coplay.errors import UsageError
from coplay.headless.outcome import Agent, Outcome

_PACKAGES: Final = ("aiortc", "aiohttp")


async def join(
    address: str,
    *,
    study: str | Path,
    agent: Agent,
    participant: str | None = None,
    params: Mapping[str, str] | None = None,
    identity: str | Path | None = None,
) -> Outcome:
    """Go through a study as one participant, from the first page to the last.

    It presses every button, waits in the lobby, and plays. It returns when the study is finished; use
    `asyncio.timeout` to set a limit. Cancelling it is like closing the tab. It reconnects by itself. Another
    process with the same `identity` continues where this one ended: in a running game in the same seat, if it
    comes while the seat is held.

    Args:
        address: Address of the server, as `coplay run` prints it.
        study: The study file; it must be the one that the server runs.
        agent: Asked once per frame for the action of this participant's seat. It may look at the environment
            but must not change it; inputs of other players in it may be predicted.
        participant: An id that the study has not seen before; None for the one of `identity`, or a new one.
        params: The link's other parameters, as a recruiting platform adds them.
        identity: The identity file, the counterpart of a browser's storage. It is written on the first visit
            and read on later ones. Keep it secret: anyone who has it can act as this participant.

    Raises:
        PeerError: The server refused or could not be reached, or `identity` belongs to another participant.
        UsageError: aiortc or aiohttp is not installed.
        StudyError: The study file cannot be used.
        Exception: Any error that the environment or the agent raises.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise UsageError(
                f"a headless peer needs {package}, which is not installed", "pip install 'coplay[headless]'"
            )
    # After the check, so that a missing package is an error with a hint.
    from coplay.headless.study_client import StudyClient

    file = None if identity is None else Path(identity)
    return await StudyClient(address, Path(study), agent).run(participant, dict(params or {}), file)
