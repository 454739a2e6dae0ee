"""An earlier export in a folder: its content, and the checks that a new export may replace it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from coplay.errors import UsageError

FILE: Final = "export.json"
FORMAT: Final = 2
_HINT = "Name another folder, or add --overwrite to replace the export."


@dataclass(slots=True)
class ExportManifest:
    """The content of the file `export.json`, which says what an export holds.

    Attributes:
        options: The options of the export: `formats`, `observations`, `recruiter_ids`.
        participants: The time of arrival of each participant, by `study/participant_id`.
        games: For each game, a hash of what never changes (`identity`), and one of everything that its rows
            were derived from (`digest`).
        files: The sha256 of each file, by name.
    """

    options: dict[str, Any]
    participants: dict[str, str] = field(default_factory=dict)
    games: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder, with the hashes of the files there.

        Args:
            folder: The folder with all tables of the export.
        """
        for path in sorted(folder.iterdir()):
            if path.is_file():
                self.files[path.name] = _sha256(path)
        (folder / FILE).write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1), "utf-8")


class EarlierExport:
    """The earlier export in a folder, if there is one.

    It ensures that a second export only adds rows, and never silently replaces one by a different one.

    Args:
        out: The folder.
        names: The names of the tables.

    Attributes:
        manifest: The earlier export's manifest; None if there is no earlier export.

    Raises:
        UsageError: `out` has tables that no export wrote, or that were changed after their export.
    """

    def __init__(self, out: Path, names: Mapping[str, Any]) -> None:
        self._out = out
        self.manifest: ExportManifest | None = None
        file = out / FILE
        if file.is_file():
            content = json.loads(file.read_text("utf-8"))
            if content.pop("format", None) != FORMAT:
                raise UsageError(f"{out} holds an export of another version of coplay", _HINT)
            self.manifest = ExportManifest(**content)
            for name, sha256 in self.manifest.files.items():
                if not (out / name).is_file() or _sha256(out / name) != sha256:
                    raise UsageError(f"{out / name} was changed after it was exported", _HINT)
            return
        for name in names:
            for kind in ("parquet", "csv"):
                if (out / f"{name}.{kind}").exists():
                    raise UsageError(f"{out / name}.{kind} exists already, and no export wrote it", _HINT)

    def check(self, new: ExportManifest) -> None:
        """Check that a new export contains everything that the earlier one has.

        Args:
            new: The manifest of the new export.

        Raises:
            UsageError: The earlier export has a participant or game that is missing or different now.
        """
        old = self.manifest
        if old is None:
            return
        if old.options != new.options:
            was = ", ".join(f"{name} {value}" for name, value in old.options.items())
            raise UsageError(f"{self._out} was exported with other options ({was})", _HINT)
        for who, arrived in old.participants.items():
            if new.participants.get(who) != arrived:
                raise UsageError(
                    f"{self._out} has participant {who.partition('/')[2]}, who is not in this data: it is an "
                    "export of other data, or the person was erased",
                    _HINT,
                )
        for game_id, entry in old.games.items():
            now = new.games.get(game_id)
            if now is None or now["identity"] != entry["identity"]:
                raise UsageError(
                    f"{self._out} has game {game_id}, which is missing or different in this data", _HINT
                )

    def has(self, game_id: str, digest: str) -> bool:
        """Return True if the exported rows of a game are still up to date.

        Args:
            game_id: The game.
            digest: The digest of the game as it is recorded now.
        """
        if self.manifest is None or not (self._out / "inputs.parquet").is_file():
            return False
        return self.manifest.games.get(game_id, {}).get("digest") == digest

    def rows(self, table: str, game_id: str) -> pa.Table:
        """Return the exported rows of a game in one table."""
        return pq.read_table(self._out / f"{table}.parquet", filters=[("game_id", "==", game_id)])

    def check_inputs(self, game_id: str, new: Mapping[str, Any]) -> None:
        """Check that inputs do not differ from the exported ones of the same frames.

        Args:
            game_id: The game.
            new: The columns of one player's rows of `inputs`.

        Raises:
            UsageError: An input of the same frame differs.
        """
        if self.manifest is None or game_id not in self.manifest.games:
            return
        if not (self._out / "inputs.parquet").is_file() or not len(new["frame"]):
            return
        player = new["player_id"][0]
        old = pq.read_table(
            self._out / "inputs.parquet",
            columns=["frame", "input"],
            filters=[("game_id", "==", game_id), ("player_id", "==", player)],
        )
        now = dict(zip((int(frame) for frame in new["frame"]), new["input"], strict=True))
        for frame, data in zip(old["frame"].to_pylist(), old["input"].to_pylist(), strict=True):
            if now.get(frame) != data:
                raise UsageError(
                    f"{self._out} has another input of player {player} in frame {frame} of game {game_id} "
                    "than this data",
                    _HINT,
                )

    def count(self, table: str) -> int:
        """Return the number of exported rows of a table."""
        file = self._out / f"{table}.parquet"
        return int(pq.read_metadata(file).num_rows) if self.manifest and file.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
