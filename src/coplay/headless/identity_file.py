"""The identity file of a headless peer, the counterpart of a browser's storage."""

import json
import os
from pathlib import Path

from coplay.headless.outcome import PeerError


class IdentityFile:
    """A file with a participant's id and the secret that proves it.

    Args:
        file: Path of the file; None to keep nothing.
        study: Name of the study that the file belongs to.
        participant: The id asked for; None for the one in the file, or a new one from the server.

    Raises:
        PeerError: The file belongs to another study or participant, or is not an identity file, or its
            folder is missing.
    """

    def __init__(self, file: Path | None, study: str, participant: str | None) -> None:
        self._file = file
        self._study = study
        self._participant = participant
        self._secret: str | None = None
        if file is not None and not file.parent.is_dir():
            raise PeerError(f"there is no folder {file.parent} to keep an identity in", "Create it first.")
        if file is not None and file.exists():
            self._read(file)

    def claims(self) -> dict[str, str]:
        """Return the fields of the request that enters the study: `participant` and `secret`, if known."""
        fields = {"participant": self._participant, "secret": self._secret}
        return {name: value for name, value in fields.items() if value is not None}

    def save(self, participant: str, secret: str) -> None:
        """Write the id and the secret that the server gave, for a later process."""
        if self._file is None or (participant, secret) == (self._participant, self._secret):
            return
        self._participant, self._secret = participant, secret
        content = {"study": self._study, "participant": participant, "secret": secret}
        # Written elsewhere and renamed, so that a killed process leaves no partial file. Only the owner may
        # read it.
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
        partial.replace(self._file)

    def _read(self, file: Path) -> None:
        try:
            content = json.loads(file.read_text("utf-8"))
            study, participant, secret = (str(content[name]) for name in ("study", "participant", "secret"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PeerError(
                f"{file} is not an identity file", "Name a file that does not exist yet."
            ) from error
        if (study, participant) != (self._study, self._participant or participant):
            raise PeerError(
                f"{file} is the identity of {participant} in the study {study}",
                f"Use another file for {self._participant or 'the participant'} in {self._study}.",
            )
        self._participant, self._secret = participant, secret
