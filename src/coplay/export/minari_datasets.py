"""Games as Minari data sets for offline learning: one for each agent of a scene, and one of all together.

The `minari` package itself writes them, and reads them with `MINARI_DATASETS_PATH=OUT`.

Source: https://minari.farama.org/content/dataset_standards/
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from coplay.errors import CoplayError, UsageError
from coplay.export.atomic_writing import atomic_folder
from coplay.export.minari_episodes import DatasetEpisode, DatasetSpaces, GameEpisodes, id_part
from coplay.export.observations import observe_game
from coplay.export.optional_packages import require_package
from coplay.export.reading import open_data
from coplay.runtime import ReportProgress, silent

FORMAT: Final = "parquet"


@dataclass(frozen=True, slots=True)
class MinariSummary:
    """What a Minari export wrote."""

    episodes: dict[str, int]
    """The number of episodes, by the id of the data set."""
    left_out: dict[str, str]
    """The games that are in no data set, and why."""


def export_minari(
    data: Path, out: Path, *, overwrite: bool = False, progress: ReportProgress = silent
) -> MinariSummary:
    """Replay every game and write its episodes as Minari data sets.

    Args:
        data: A data directory; the study may be running.
        out: The folder to use as `MINARI_DATASETS_PATH`; created if it does not exist.
        overwrite: Whether data sets of the same studies may be replaced.
        progress: Called with the current stage of the work, and its fraction.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: `out` has data sets of the same studies, or minari is not installed.
    """
    minari = require_package("minari", "minari")
    episodes: dict[str, int] = {}
    left_out: dict[str, str] = {}
    with open_data(data) as reader:
        rows = reader.games()
        if not overwrite:
            for study in {id_part(row["study"]) for row in rows}:
                if (out / study).exists():
                    raise UsageError(
                        f"{out / study} exists already", "Name another folder, or add --overwrite."
                    )
        with atomic_folder(out) as folder, _datasets_path(folder):
            for row in rows:
                stored = reader.game(row)
                try:
                    observed = observe_game(data, stored.game_id, progress=progress)
                    if observed.replay.difference is not None:
                        left_out[stored.game_id] = str(observed.replay.difference)
                        continue
                    game = GameEpisodes(stored, observed)
                except CoplayError as error:
                    left_out[stored.game_id] = error.message
                    continue
                for dataset_id, dataset_spaces, added in game.datasets():
                    _add(minari, dataset_id, dataset_spaces, added)
                    episodes[dataset_id] = episodes.get(dataset_id, 0) + len(added)
    return MinariSummary(episodes, left_out)


def _add(
    minari: ModuleType, dataset_id: str, dataset_spaces: DatasetSpaces, episodes: Sequence[DatasetEpisode]
) -> None:
    from minari.data_collector import EpisodeBuffer

    buffers = [
        EpisodeBuffer(seed=e.metadata["seed"], options=e.metadata["options"], **e.buffer) for e in episodes
    ]
    if not buffers:
        return
    with warnings.catch_warnings():
        # Minari warns about missing authors and links, which a study does not have.
        warnings.simplefilter("ignore")
        if dataset_id in minari.list_local_datasets():
            dataset = minari.load_dataset(dataset_id)
            first = dataset.storage.total_episodes
            dataset.storage.update_episodes(buffers)
        else:
            first = 0
            dataset = minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
                observation_space=dataset_spaces.observation,
                action_space=dataset_spaces.action,
                algorithm_name="people",
                description=f"Games that people played with coplay. {dataset_spaces.description}",
                data_format=FORMAT,
                jpeg_encoding=False,
            )
    numbers = range(first, first + len(buffers))
    dataset.storage.update_episode_metadata([e.metadata for e in episodes], numbers)


@contextmanager
def _datasets_path(folder: Path) -> Iterator[None]:
    """Make minari use `folder`, which must be absolute: minari joins a relative one twice."""
    variable = "MINARI_DATASETS_PATH"
    before = os.environ.get(variable)
    os.environ[variable] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
