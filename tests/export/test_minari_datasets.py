"""Data sets that minari itself reads, with what the replay gave."""

import minari
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from coplay.cli import main
from coplay.errors import UsageError
from coplay.export.minari_datasets import export_minari
from coplay.export.tables.exporting import export_tables

PREFIX = "meeting/meet-1"


@pytest.fixture(scope="module")
def written(meeting, tmp_path_factory):
    """Data sets of a game, written once; and the data directory."""
    folder = tmp_path_factory.mktemp("minari")
    meeting.store(folder / "data")
    export_minari(folder / "data", folder / "sets")
    return folder


@pytest.fixture
def out(written, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(written / "sets"))
    return written / "sets"


@pytest.fixture
def data(written):
    return written / "data"


@pytest.mark.usefixtures("out")
def test_every_agents_episodes_are_those_of_the_replay(data, tmp_path):
    export_tables(data, tmp_path / "tables", observations=True)
    steps = pq.read_table(tmp_path / "tables" / "steps.parquet").to_pylist()
    episodes = pq.read_table(tmp_path / "tables" / "episodes.parquet").to_pylist()
    for player, agent in enumerate(("left", "right")):
        dataset = minari.load_dataset(f"{PREFIX}/{agent}-v0")
        assert dataset.total_episodes == len(episodes) > 1
        for row, episode in zip(episodes, dataset.iterate_episodes(), strict=True):
            own = [s for s in steps if s["episode"] == row["episode"] and s["player_id"] == player]
            length = len(own)
            assert len(episode.actions) == len(episode.rewards) == length
            assert len(episode.terminations) == len(episode.truncations) == length
            assert len(episode.observations["places"]) == length + 1
            (known,) = dataset.storage.get_episode_metadata([episode.id])
            assert (known["seed"], known["options"]) == (row["seed"], {})
            assert np.array_equal(episode.actions, [s["action"] for s in own])
            places = [s["observation"]["places"] for s in own] + [own[-1]["final_observation"]["places"]]
            assert np.array_equal(episode.observations["places"], np.array(places, np.float32))
            assert sum(episode.rewards) == row["returns"][player]
            assert [bool(t) for t in episode.terminations] == [s["terminated"] for s in own]
            assert bool(episode.terminations[-1] or episode.truncations[-1])
            assert dataset.action_space.contains(episode.actions[0])


@pytest.mark.usefixtures("out")
def test_joint_episodes_hold_every_agent_and_the_sum_of_rewards():
    joint = minari.load_dataset(f"{PREFIX}/joint-v0")
    for agent in ("left", "right"):
        alone = minari.load_dataset(f"{PREFIX}/{agent}-v0")
        for one, all_of_them in zip(alone.iterate_episodes(), joint.iterate_episodes(), strict=True):
            assert np.array_equal(all_of_them.actions[agent], one.actions)
            assert np.array_equal(all_of_them.observations[agent]["turn"], one.observations["turn"])
            assert np.allclose(all_of_them.rewards, 2 * np.asarray(one.rewards))
            assert np.array_equal(all_of_them.infos[f"reward {agent}"][1:], one.rewards)


def test_episodes_say_which_game_they_are_of(out):
    dataset = minari.load_dataset(f"{PREFIX}/right-v0")
    said = list(dataset.storage.get_episode_metadata(dataset.episode_indices))
    assert [row["episode"] for row in said] == list(range(len(said)))
    assert {(row["game_id"], row["participant_id"]) for row in said} == {("0123456789abcdef0123", "bob")}
    assert sorted(minari.list_local_datasets()) == [f"{PREFIX}/{n}-v0" for n in ("joint", "left", "right")]
    assert out.is_dir()


def test_second_game_adds_its_episodes_and_one_that_differs_is_left_out(meeting, tmp_path, monkeypatch):
    data = tmp_path / "data"
    meeting.store(data)
    later = {"started_utc": "2026-01-02T00:00:00.000+00:00"}
    meeting.store(data, "a" * 20, people=("eve", "bob"), **later)
    meeting.store(data, "b" * 20, people=("eve", "zoe"), **(later | {"seed": 78}))
    done = export_minari(data, tmp_path / "sets")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))
    dataset = minari.load_dataset(f"{PREFIX}/left-v0")
    with pytest.raises(UsageError, match="exists already"):
        export_minari(data, tmp_path / "sets")
    said = [row["game_id"][:1] for row in dataset.storage.get_episode_metadata(dataset.episode_indices)]
    assert said == ["0"] * (len(said) // 2) + ["a"] * (len(said) // 2)
    assert list(done.left_out) == ["b" * 20]
    assert "differs" in done.left_out["b" * 20]


def test_without_minari_the_extra_is_named(data, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "minari", None)
    answer = CliRunner().invoke(main, ["export", str(tmp_path / "o"), "--data", str(data), "--minari"])
    assert answer.exit_code == 2
    assert "pip install 'coplay[minari]'" in answer.stderr
