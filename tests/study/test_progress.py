import pytest

from coplay.study import Study, keys, scenes
from coplay.study.progress import PathEvent, Progress, after, scene_of, start

KEYS = keys.Keys({"a": 1})


@pytest.fixture
def study() -> Study:
    study = Study("path")
    study.scenes = [
        scenes.Instructions("Hi"),
        scenes.Lobby(2, otherwise=scenes.Finish(code="WAITED")),
        scenes.Play("x", keys=KEYS),
        scenes.Finish(code="DONE"),
    ]
    return study


def test_whole_path_leads_to_a_completed_finish(study: Study) -> None:
    progress = start(study)
    for event in (PathEvent.CONTINUED, PathEvent.MATCHED, PathEvent.PLAYED):
        assert not progress.finished
        progress = after(study, progress, event)
    assert progress == Progress(3, "completed")
    assert scene_of(study, progress) is study.scenes[3]


def test_waiting_in_vain_leads_to_the_lobbys_otherwise(study: Study) -> None:
    progress = after(study, Progress(1), PathEvent.WAITED)
    assert progress == Progress(1, "waited")
    scene = scene_of(study, progress)
    assert isinstance(scene, scenes.Finish)
    assert scene.code == "WAITED"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_leaving_ends_the_path_anywhere(study: Study, index: int) -> None:
    progress = after(study, Progress(index), PathEvent.LEFT)
    assert progress.ending == "left"
    assert isinstance(scene_of(study, progress), scenes.Finish)


@pytest.mark.parametrize(
    ("progress", "event"),
    [
        (Progress(0), PathEvent.PLAYED),
        (Progress(1), PathEvent.CONTINUED),
        (Progress(2), PathEvent.CONTINUED),
        (Progress(2), PathEvent.WAITED),
        (Progress(3, "completed"), PathEvent.LEFT),
        (Progress(1, "waited"), PathEvent.MATCHED),
    ],
)
def test_event_that_does_not_apply_changes_nothing(
    study: Study, progress: Progress, event: PathEvent
) -> None:
    assert after(study, progress, event) is progress


def test_study_of_one_finish_is_completed_at_once() -> None:
    study = Study("short")
    study.scenes = [scenes.Finish()]
    assert start(study).ending == "completed"
