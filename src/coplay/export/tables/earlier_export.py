"""What an earlier export left in a folder, and whether a new one may go there."""

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
    """What an export holds.

    Attributes:
        options: `formats`, `observations`, `recruiter_ids`.
        participants: When each arrived, by study and id.
        games: Of each game: `identity` of what never changes, `digest` of all that its rows came from.
        files: The sha256 of each file.
    """

    options: dict[str, Any]
    participants: dict[str, str] = field(default_factory=dict)
    games: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it down, with the hashes of the files that are there."""
        for path in sorted(folder.iterdir()):
            if path.is_file():
                self.files[path.name] = _sha256(path)
        (folder / FILE).write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1), "utf-8")


class EarlierExport:
    """An earlier export in `out`; `None` of everything if there is none.

    Args:
        out: The folder.
        names: Of the tables.

    Raises:
        UsageError: `out` has tables that no export wrote, or that were changed since.
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
                    raise UsageError(f"{out / name} was changed since it was exported", _HINT)
            return
        for name in names:
            for kind in ("parquet", "csv"):
                if (out / f"{name}.{kind}").exists():
                    raise UsageError(
                        f"{out / name}.{kind} is there, and no export of this data wrote it", _HINT
                    )

    def check(self, new: ExportManifest) -> None:
        """Refuse to replace rows by unlike ones.

        Args:
            new: What the store holds now.

        Raises:
            UsageError: The earlier export has something that the store has not, or has otherwise.
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
                    f"{self._out} has participant {who.partition('/')[2]}, whom this data has not: it is of "
                    "other data, or somebody was erased since",
                    _HINT,
                )
        for game_id, entry in old.games.items():
            now = new.games.get(game_id)
            if now is None or now["identity"] != entry["identity"]:
                raise UsageError(
                    f"{self._out} has game {game_id}, and this data has it not or otherwise", _HINT
                )

    def has(self, game_id: str, digest: str) -> bool:
        """Whether the rows of a game can be taken over as they are."""
        if self.manifest is None or not (self._out / "inputs.parquet").is_file():
            return False
        return self.manifest.games.get(game_id, {}).get("digest") == digest

    def rows(self, table: str, game_id: str) -> pa.Table:
        """A game's rows of a table."""
        return pq.read_table(self._out / f"{table}.parquet", filters=[("game_id", "==", game_id)])

    def check_inputs(self, game_id: str, new: Mapping[str, Any]) -> None:
        """Refuse inputs that differ from those of the same frames that were exported.

        Args:
            game_id: The game.
            new: One player's columns of `inputs`.
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
        """How many rows of a table there were."""
        file = self._out / f"{table}.parquet"
        return int(pq.read_metadata(file).num_rows) if self.manifest and file.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
