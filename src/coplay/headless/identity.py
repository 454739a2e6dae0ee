"""Who a headless peer is to a study, kept in a file as a browser keeps it for a person."""

import json
import os
from pathlib import Path

from coplay.headless.outcome import PeerError


class ParticipantIdentity:
    """One participant's name, with the secret that proves it.

    Args:
        file: Where they are kept; None to keep nothing.
        study: Name of the study, which the file belongs to.
        participant: The id asked for; None for whatever the file says, or the server gives.

    Raises:
        PeerError: The file is of another study or participant, or no such file, or cannot be there.
    """

    def __init__(self, file: Path | None, study: str, participant: str | None) -> None:
        self._file = file
        self._study = study
        self._participant = participant
        self._secret: str | None = None
        if file is not None and not file.parent.is_dir():
            raise PeerError(f"there is no folder {file.parent} to keep an identity in", "Make it first.")
        if file is not None and file.exists():
            self._read(file)

    def claims(self) -> dict[str, str]:
        """What is said on arrival."""
        said = {"participant": self._participant, "secret": self._secret}
        return {name: value for name, value in said.items() if value is not None}

    def keep(self, participant: str, secret: str) -> None:
        """Keep what the server gave, for the process after this one."""
        if self._file is None or (participant, secret) == (self._participant, self._secret):
            return
        self._participant, self._secret = participant, secret
        kept = {"study": self._study, "participant": participant, "secret": secret}
        # Whole or not at all, since the process may be killed here; and for nobody else's eyes.
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(kept, file)
        unfinished.replace(self._file)

    def _read(self, file: Path) -> None:
        try:
            kept = json.loads(file.read_text("utf-8"))
            study, participant, secret = (str(kept[name]) for name in ("study", "participant", "secret"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PeerError(
                f"{file} holds nobody's identity", "Name a file that does not exist yet."
            ) from error
        if (study, participant) != (self._study, self._participant or participant):
            raise PeerError(
                f"{file} is the identity of {participant} in the study {study}",
                f"Use another file for {self._participant or 'the participant'} in {self._study}.",
            )
        self._participant, self._secret = participant, secret
