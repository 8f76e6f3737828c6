"""Results as CSV, JSON and HTML."""

import csv
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from MotionQALib import reports, slice_pictures
from MotionQALib.assessment_summary import summary
from MotionQALib.checkpoints import Card
from MotionQALib.results import Assessment, Override
from MotionQALib.volumes import Volume

COLUMNS = "volume,frame,slice,score,expected_score,grade,p1,p2,p3,p4,p5,uncertain"
CARD = Card(
    name="stub",
    title="A <i>stub</i>",
    backbone="tf_efficientnet_lite0",
    preprocessing={},
    training={"data": "phantoms", "subjects": 3},
    metrics={"severe_auc": [0.95, 0.9, 0.99], "odd": "text"},
)


OVERRIDES = (
    Override(0, 1, 2, "severe", "=Zoë", "2026-03-01T09:30:00+01:00"),
    Override(None, None, None, "moderate", "B <i>Reader</i>", "2026-03-02T10:00:00+01:00"),
)


class Checked(HTMLParser):
    """Every tag that opens closes, in order."""

    VOID = frozenset({"meta", "img", "input", "br", "rect"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [value for _, value in attrs if value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(path):
    page = Checked()
    page.feed(path.read_text("utf-8"))
    assert page.open == []
    return page


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_has_the_promised_columns_and_rows(assessment, tmp_path):
    path = tmp_path / "grades.csv"
    reports.write_csv([assessment, assessment], path)
    assert path.read_text("utf-8").splitlines()[0] == COLUMNS
    rows = read_csv(path)
    assert len(rows) == 2 * (2 * 3 + 1)
    assert [(row["frame"], row["slice"]) for row in rows[5:7]] == [("1", "2"), ("", "")]
    assert {row["uncertain"] for row in rows} <= {"true", "false"}
    found = np.array([[float(row[f"p{s}"]) for s in range(1, 6)] for row in rows[:6]])
    np.testing.assert_allclose(found, assessment.probabilities.reshape(-1, 5), atol=1e-6)


def test_csv_with_readers_grades_keeps_the_promised_columns_first(
    assessment, assessment_of, tmp_path
):
    without, path = assessment_of(5, 4, 3), tmp_path / "grades.csv"
    reports.write_csv([without], path)
    plain = path.read_text("utf-8").splitlines()
    reports.write_csv(iter([without, replace(assessment, overrides=OVERRIDES)]), path)
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == f"{COLUMNS},override_score,override_grade,reader,time"
    assert lines[1:5] == [f"{line},,,," for line in plain[1:]]
    rows = read_csv(path)[4:]
    assert [row["score"] for row in rows] == [str(row.score) for row in assessment.rows()]
    said = {
        (row["frame"], row["slice"]): [row[name] for name in reports.OVERRIDE_COLUMNS]
        for row in rows
        if row["override_grade"]
    }
    assert said == {
        ("0", "1"): ["2", "severe", "'=Zoë", OVERRIDES[0].time],
        ("", ""): ["", "moderate", "B <i>Reader</i>", OVERRIDES[1].time],
    }


@pytest.mark.parametrize("name", ["a,b", 'quo"te', "line\nbreak", "Zoë 心臓"])
def test_csv_keeps_any_name(assessment_of, tmp_path, name):
    reports.write_csv([assessment_of(5, volume=name)], tmp_path / "x.csv")
    assert {row["volume"] for row in read_csv(tmp_path / "x.csv")} == {name}


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "@SUM(A1)", "-2"])
def test_csv_holds_no_formula(assessment_of, tmp_path, name):
    reports.write_csv([assessment_of(5, volume=name)], tmp_path / "x.csv")
    assert read_csv(tmp_path / "x.csv")[0]["volume"] == f"'{name}"


def test_json_gives_the_assessments_back(assessment, tmp_path):
    path = tmp_path / "grades.json"
    reports.write_json([assessment], path, card=CARD, failures=[("/a.nii", "a.nii is blank.")])
    content = json.loads(path.read_text("utf-8"))
    assert content["format"] == 1
    assert content["checkpoint"]["name"] == "stub"
    assert content["failures"] == [{"source": "/a.nii", "reason": "a.nii is blank."}]
    (found,) = content["assessments"]
    assert list(Assessment.from_dict(found).rows()) == list(assessment.rows())
    assert found["volume_grade"] == assessment.volume_grade.label
    assert found["verdict"] == summary(assessment)


def test_failed_write_leaves_the_old_file_and_nothing_else(assessment, tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("the old one")

    def failing():
        yield assessment
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        reports.write_csv(failing(), path)
    assert path.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_new_file_has_the_usual_permissions(assessment, tmp_path):
    (tmp_path / "usual").write_text("")
    reports.write_csv([assessment], tmp_path / "x.csv")
    assert (tmp_path / "x.csv").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_links_are_followed_and_pipes_are_not_replaced(assessment, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    reports.write_csv([assessment], tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_text("utf-8").startswith(COLUMNS)
    reports.write_csv([assessment], "/dev/null")
    assert not Path("/dev/null").is_file()


@pytest.fixture
def drawn(rng, assessment):
    volume = Volume(rng.integers(0, 900, (2, 3, 40, 40), dtype=np.int16), (8.0, 2.0, 2.0))
    positions = slice_pictures.positions_to_show(assessment)
    relevance = rng.random((3, 40, 40)).astype(np.float32)
    return slice_pictures.draw(volume, positions, relevance)


def test_html_shows_every_slice_with_words_beside_its_colour(assessment, drawn, tmp_path):
    path = tmp_path / "report.html"
    reports.write_html([assessment], path, pictures=[drawn], card=CARD)
    page = parsed(path)
    text = "".join(page.text)
    assert page.tags.count("figure") == 3
    assert page.tags.count("img") == 6  # each with its relevance
    assert summary(assessment) in text
    assert "For tests; not a medical device." in text
    assert "a remark" in text
    assert "0.950 (0.900 to 0.990)" in text
    assert "Show where the network saw motion" in text
    figures = re.findall(r"<figure.*?</figure>", path.read_text("utf-8"), re.S)
    for figure, picture in zip(figures, drawn, strict=True):
        row = list(assessment.rows())[picture.frame * 3 + picture.slice]
        assert f">{row.grade}</span>" in figure
        assert (">uncertain</span>" in figure) == row.uncertain


def test_html_needs_no_other_file_and_runs_nothing(assessment, drawn, tmp_path):
    path = tmp_path / "report.html"
    reports.write_html([assessment], path, pictures=[drawn], card=CARD)
    page = parsed(path)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"https?://|file:", path.read_text("utf-8"))


def test_html_escapes_what_comes_from_files(assessment_of, tmp_path):
    evil = "<script>alert('1')</script>\"&"
    graded = assessment_of(5, 1, volume=evil, source=evil, remarks=(evil,), device=evil)
    card = Card(evil, evil, evil, {}, training={evil: evil}, metrics={evil: evil}, licence=evil)
    reports.write_html([graded], tmp_path / "x.html", card=card, failures=[(evil, evil)])
    page = parsed(tmp_path / "x.html")
    assert "script" not in page.tags
    assert evil in "".join(page.text)


def test_html_without_pictures_card_or_grades(assessment_of, tmp_path):
    reports.write_html([assessment_of(4, 2)], tmp_path / "plain.html")
    assert "img" not in parsed(tmp_path / "plain.html").tags
    reports.write_html([], tmp_path / "none.html", failures=[("/x", "x is blank.")])
    assert "x is blank." in "".join(parsed(tmp_path / "none.html").text)


def test_html_says_what_to_know_of_the_network_also_without_its_card(assessment, tmp_path):
    told = replace(assessment, notice="not a <medical> device")
    reports.write_html([told, assessment], tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text("utf-8")
    assert text.count('<p class="notice">Not a &lt;medical&gt; device.</p>') == 1


def test_html_of_a_cine_lists_all_frames(assessment, tmp_path):
    reports.write_html([assessment], tmp_path / "cine.html")
    text = (tmp_path / "cine.html").read_text("utf-8")
    table = text[text.index('class="frames"') :]
    found = re.findall(r'class="cell \w+"[^>]*>(\d)', table)
    assert list(map(int, found)) == assessment.scores.T.ravel().tolist()


def test_html_has_readers_grades_beside_the_networks(assessment, assessment_of, drawn, tmp_path):
    path = tmp_path / "read.html"
    reports.write_html([assessment], path, pictures=[drawn])
    without = path.read_text("utf-8")
    assert 'class="reader' not in without
    shown = drawn[0]
    first = OVERRIDES[0]._replace(frame=shown.frame, slice=shown.slice)
    overridden = replace(assessment, overrides=(first, OVERRIDES[1]))
    reports.write_html([overridden], path, pictures=[drawn])
    page, text = parsed(path), path.read_text("utf-8")
    words = "".join(page.text)
    assert "i" not in page.tags[: page.tags.index("footer")]  # names are text, not markup
    for part in ("=Zoë: 2 severe", "B <i>Reader</i>: moderate", "2026-03-01 09:30", "2026-03-02"):
        assert part in words
    for chip in ("chip", "cell"):  # the network's own are all there, as before
        found = [re.findall(f'class="{chip} \\w+"', html) for html in (without, text)]
        assert found[0] and found[0] == found[1]
    figures = re.findall(r"<figure.*?</figure>", text, re.S)
    assert ["=Zoë" in figure for figure in figures] == [True, False, False]
    table = re.search(r'<table class="readers">.*?</table>', text, re.S)[0]
    assert f">slice {shown.slice}, frame {shown.frame}<" in table and ">volume<" in table


def test_what_has_no_grade_is_empty_in_every_report(assessment_of, tmp_path):
    graded = assessment_of(4, 2, 5)
    graded.probabilities[0, 1] = np.nan
    reports.write_csv([graded], tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert [row["score"] for row in rows] == ["4", "", "5", str(graded.volume_score)]
    assert rows[1] == {**dict.fromkeys(COLUMNS.split(","), ""), "volume": "heart", "frame": "0"} | {
        "slice": "1"
    }
    reports.write_json([graded], tmp_path / "a.json")
    (found,) = json.loads((tmp_path / "a.json").read_text())["assessments"]
    assert found["scores"] == [[4, None, 5]]
    assert found["probabilities"][0][1] == [None] * 5
    back = Assessment.from_dict(found)
    np.testing.assert_array_equal(back.graded, graded.graded)
    assert "All 2 graded slices are mild." in found["verdict"]
    reports.write_html([graded], tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert 'class="cell none"' in page and "slice 1: no grade" in page
