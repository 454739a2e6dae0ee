"""A Python client that joins a study as one participant and plays with a policy."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from coplay.errors import UsageError
from coplay.headless.outcome import Agent, Outcome

_NEEDS = ("aiortc", "aiohttp")


async def join(
    address: str,
    *,
    study: str | Path,
    agent: Agent,
    participant: str | None = None,
    params: Mapping[str, str] | None = None,
    identity: str | Path | None = None,
) -> Outcome:
    """Go through a study as one participant: press each button, wait in the lobby, play, to the last page.

    Ends when the study is finished; `asyncio.timeout` around it sets a limit. To be cancelled is as good as
    to close the tab. A connection that breaks is made again. A process that is gone may be followed by
    another one with the same `identity`: it goes on where the former was, in a running game in the same seat
    if it comes while that is held.

    Args:
        address: Of the server, as in `coplay run`'s output.
        study: The study file, the same that the server runs.
        agent: Asked once a frame for the action of the own seat. It may look at the environment, and must
            not change it; the others' inputs in it may be guesses.
        participant: An id that the study has not seen before; None for a new one, or for that of `identity`.
        params: The link's other parameters, as a recruiter gives them.
        identity: A file that holds who this is, as a browser does for a person: written on the first visit,
            read on later ones. Whoever has it can be this participant.

    Raises:
        PeerError: The server refused, or could not be reached; or `identity` is of somebody else.
        UsageError: aiortc is not installed.
        StudyError: The study file cannot be used.
        Exception: Whatever the environment or the agent raises.
    """
    for package in _NEEDS:
        if find_spec(package) is None:
            raise UsageError(
                f"a headless peer needs {package}, which is not installed", "pip install 'coplay[headless]'"
            )
    from coplay.headless.study_client import StudyClient

    kept = None if identity is None else Path(identity)
    return await StudyClient(address, Path(study), agent).go(participant, dict(params or {}), kept)
