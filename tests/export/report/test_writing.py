"""A report is one page, without scripts and without a network."""

import re
from xml.etree import ElementTree

from click.testing import CliRunner

from coplay.cli import main
from coplay.data.database.store import Store


def test_page_is_one_file_that_asks_no_network_and_names_nobody(study, tmp_path):
    answer = CliRunner().invoke(main, ["report", str(tmp_path / "r.html"), "--data", str(study)])
    assert answer.exit_code == 0, answer.stderr
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "<script" not in text
    assert "<link" not in text
    linked = set(re.findall(r"""(?:href|src)=["']?([^"'> ]+)|url\(([^)]+)\)""", text))
    assert {place for pair in linked for place in pair if place and not place.startswith("#")} == set()
    assert not re.search(r"\b(ada|bob|eve|zoe|yan)\b", text)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 8
    tiles = re.findall(r"<dd>(.*?)</dd><dt>(.*?)</dt>", text)
    assert {what: n for n, what in tiles} == {
        "people came": "5",
        "completed": "3",
        "found no partner": "1",
        "dropped out": "1",
        "games": "2",
        "usable games": "2",
        "minutes played": "0.1",
        "median round trip": "85 ms",
    }
    for chart in charts:
        assert len(list(ElementTree.fromstring(chart).iter())) > 10
    assert "player 0 &lt;left&gt;" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "r.html"]


def test_empty_study_has_a_report(tmp_path):
    Store(tmp_path / "d").close()
    answer = CliRunner().invoke(main, ["report", str(tmp_path / "r.html"), "--data", str(tmp_path / "d")])
    assert answer.exit_code == 0, answer.stderr
    assert "An empty study" in (tmp_path / "r.html").read_text("utf-8")
