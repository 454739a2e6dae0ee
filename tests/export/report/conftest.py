"""A study of five people, of whom one found no partner and one closed the page; and its export."""

import pytest
from sqlalchemy import insert

from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.export.report.report_tables import ReportTables
from coplay.export.tables.exporting import export_tables


@pytest.fixture
def study(meeting, data):
    """Two games, and two more people: one found no partner, and one closed the page."""
    later = {"started_utc": "2026-01-02T00:00:00.000+00:00", "verdict": "truncated", "verdict_frame": 80}
    meeting.store(
        data, "a" * 20, people=("eve", "bob"), left_early=[0], verdict_reason="player 0 <left>", **later
    )
    person = {"study": "meeting", "version": "3", "secret_hash": "", "scene": 0}
    arrived = {"arrived_utc": "2026-01-03T00:00:00.000+00:00", "arrived_ms": 0.0, "browser": ""}
    event = {
        "study": "meeting",
        "participant_id": "zoe",
        "utc": "2026-01-03T00:01:00",
        "ms": 0.0,
        "detail": {},
    }
    store = Store(data)
    for who, ended in (("zoe", "waited"), ("yan", None)):
        row = {**person, **arrived, "participant_id": who, "ended_how": ended}
        store.execute(insert(records.participants).values(row)).result()
    for kind in ("connected", "disconnected"):
        gone = {**event, "participant_id": "yan", "kind": kind}
        store.execute(insert(records.events).values(gone)).result()
    store.execute(insert(records.events).values(**event, kind="disconnected")).result()
    store.close()
    return data


@pytest.fixture
def exported(study, tmp_path):
    export_tables(study, tmp_path / "out")
    return ReportTables.read(tmp_path / "out")
