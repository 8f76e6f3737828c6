"""Scores into other programs' files and back; the trainer takes them as they are."""

import csv
import json
import os

import pytest

from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import Case, listed
from MotionQALib.reading.consensus import (
    consensus_items,
    open_consensus,
    settle,
    settle_unanimous,
)
from MotionQALib.reading.export_names import export_names
from MotionQALib.reading.label_import import import_labels
from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.reading.score_entry import ItemKey
from MotionQALib.reading.score_exports import (
    LONG_COLUMNS,
    export_grades,
    export_labels,
    export_long,
)
from MotionQALib.reading.scores import ScoreLog, read_scores
from MotionQALib.reading.study import Study
from MotionQALib.reading.study_scores import StudyScores
from MotionQATrainerLib.data.labels import read_labels
from MotionQATrainerLib.data.matching import match

SCORES = {"P001-1-ED": 5, "P001-2-ED": 3, "P002-1-ED": 1, ("P001-1-ED", 1): 2}


seen = StudyScores.for_coordinator


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_iqa_csv_goes_out_and_comes_back(filled, read_as, tmp_path):
    read_as(filled, "anna", SCORES)
    path = tmp_path / "IQA.csv"
    assert export_grades(seen(filled), "anna", path).rows == 3
    assert table(path) == [
        ["Image", "Label"],
        ["P001-1-ED", "1"],
        ["P001-2-ED", "2"],
        ["P002-1-ED", "3"],
    ]
    with ScoreLog.open(filled, "Challenge") as log:
        assert import_labels(filled, log, path) == (3, [])
        assert import_labels(filled, log, path) == (0, [])  # said already
        assert [e.grade for e in log.entries.values()] == ["mild", "moderate", "severe"]
        assert all(e.score is None for e in log.entries.values())
    again = tmp_path / "again.csv"
    export_labels(seen(filled), "Challenge", again)  # only grades are known: the grades' form
    assert again.read_bytes() == path.read_bytes()


def test_labels_are_what_the_trainer_takes(filled, images, read_as, tmp_path):
    read_as(filled, "anna", SCORES)
    path = tmp_path / "labels.csv"
    assert export_labels(seen(filled), "anna", path).rows == 3
    labels = read_labels(path)
    found = {(label.image, label.slice, label.score, label.subject) for label in labels}
    assert found == {
        ("P001-1-ED", None, 5, "P001"),
        ("P001-2-ED", None, 3, "P001"),
        ("P002-1-ED", None, 1, "P002"),
    }
    paths, _ = match(images, [label.image for label in labels])
    assert len(paths) == 3


def test_labels_of_slices_and_of_images_that_share_a_name(tmp_path, write_image):
    for number, name in enumerate(("a/ED", "b/ED", "b/other")):
        write_image(tmp_path / "data" / f"{name}.nii.gz", number)
    study = Study.create(tmp_path / "slices", level="slice")
    list(CaseList(study).add(listed(tmp_path / "data")))
    keys = [case.key for case in CaseList(study).cases]
    with ScoreLog.open(study, "anna") as log:
        for key in keys:
            for index in (0, 2):
                log.save(ItemKey(key, index), 4 - index)
    path = tmp_path / "labels.csv"
    assert export_labels(seen(study), "anna", path).rows == 6
    labels = read_labels(path)
    paths, _ = match(tmp_path / "data", [label.image for label in labels])
    assert sorted(paths) == ["a/ED", "b/ED", "other"]
    with ScoreLog.open(study, "ben") as log:
        assert import_labels(study, log, path) == (6, [])
        assert {p: e.score for p, e in log.entries.items()} == {
            ItemKey(key, index): 4 - index for key in keys for index in (0, 2)
        }
    with pytest.raises(ReadingError, match="one grade a volume"):
        export_grades(seen(study), "anna", tmp_path / "IQA.csv")


def test_the_long_table_has_everybody_and_every_reading(filled, read_as, tmp_path):
    read_as(filled, "anna", SCORES)
    with ScoreLog.open(filled, "ben") as log:
        key = CaseList(filled).cases[0].key
        log.save(
            ItemKey(key), 4, artefacts=("blur", "wrap"), comment='=SUM(A1) "x"\n', confidence=3
        )
    with open_consensus(filled, "prof") as log:
        settle(log, consensus_items(seen(filled))[0], 5)
    path = tmp_path / "long.csv"
    assert export_long(seen(filled), path).rows == 6
    names, *rows = table(path)
    assert tuple(names) == LONG_COLUMNS
    rows = [dict(zip(names, row, strict=True)) for row in rows]
    assert [row["reader"] for row in rows] == ["anna"] * 4 + ["ben", "consensus"]
    assert [row["repeat"] for row in rows[:4]] == ["0", "0", "0", "1"]
    ben = rows[4]
    assert (ben["artefacts"], ben["confidence"], ben["grade"]) == ("blur wrap", "3", "mild")
    assert ben["comment"].startswith("'=")  # no formula for a spreadsheet
    assert rows[5]["adjudicator"] == "prof"


def test_patients_in_folders_of_their_own_are_subjects(study, write_image, tmp_path):
    for number, name in enumerate(("a/ED", "a/ES", "b/ED", "b/ES")):
        write_image(tmp_path / "data" / f"{name}.nii.gz", number)
    list(CaseList(study).add(listed(tmp_path / "data")))
    for reader in ("anna", "ben"):
        with ScoreLog.open(study, reader) as log:
            for number, case in enumerate(CaseList(study).cases):
                log.save(ItemKey(case.key), 1 + number)
    for export, path in ((export_labels, "labels.csv"), (export_grades, "IQA.csv")):
        export(seen(study), "anna", tmp_path / path)
        labels = read_labels(tmp_path / path)
        assert [label.subject for label in labels] == ["a", "a", "b", "b"]
    assert [c.subjects for c in agreement(seen(study), resamples=0).comparisons] == [2, 2]


def test_a_name_that_all_images_share_takes_one_look_at_their_folders(study, monkeypatch):
    lines = (
        Case(f"k{n}", "cine", f"../data/s{n}/cine.nii.gz", f"s{n}", 1, 3, 0, (1, 1, 1))
        for n in range(50)
    )
    text = "".join(f"{json.dumps(case.to_record())}\n" for case in lines)
    study.cases_file.write_text(text)
    looks = []
    real = os.path.commonpath
    monkeypatch.setattr(os.path, "commonpath", lambda paths: looks.append(1) or real(paths))
    names = export_names(CaseList(study))
    assert names["k7"] == "s7/cine" and len(set(names.values())) == 50
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,score\nP001-1-ED,6\n", "line 2: the score is '6'; give 1, 2, 3, 4 or 5"),
        ("Image,Label\nP001-1-ED,2\nP001-2-ED,4\n", "line 3: the label is '4'"),
        ("image,score\nP001-1-ED,good\n", "the score is 'good'"),
        ("image,score\nP001-1-ED,nan\n", "the score is 'nan'"),
        ("image,grade\nP001-1-ED,1\n", "needed are image and either score"),
        ("image,score\nP001-1-ED,3\nP001-1-ED,4\n", "line 3: P001-1-ED is scored already"),
        ("image,slice,score\nP001-1-ED,1,3\n", "is read volume by volume"),
    ],
)
def test_a_bad_table_is_not_taken_at_all(filled, tmp_path, text, said):
    path = tmp_path / "in.csv"
    path.write_text(text)
    with ScoreLog.open(filled, "anna") as log:
        with pytest.raises(ReadingError, match=said):
            import_labels(filled, log, path)
        assert log.entries == {} and log.path.read_bytes() == b""


def test_images_that_are_no_case_are_named(filled, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("Image,Label\nP001-1-ED.nii.gz,3.0\nP999-1-ED,1\n")
    with ScoreLog.open(filled, "anna") as log:
        taken, remarks = import_labels(filled, log, path)
    assert taken == 1
    assert remarks == [f"{path}, line 3: no case is named P999-1-ED; it is left out."]


def test_nothing_to_write_is_said(filled, tmp_path):
    for export in (export_labels, export_grades):
        with pytest.raises(ReadingError, match="anna has scored no case"):
            export(seen(filled), "anna", tmp_path / "o.csv")
    with pytest.raises(ReadingError, match="Nobody has scored"):
        export_long(seen(filled), tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()


def test_the_adjudicator_settles_what_readers_said(filled, read_as, tmp_path):
    read_as(filled, "anna", {"P001-1-ED": 5, "P001-2-ED": 3, "P001-3-ED": 2})
    read_as(filled, "ben", {"P001-1-ED": 5, "P001-2-ED": 1, ("P001-3-ED", 1): 4})
    agreed, apart, alone = consensus_items(seen(filled))
    assert agreed.unanimous and not apart.unanimous and not alone.unanimous
    assert (agreed.spread, apart.spread, alone.spread) == (0, 2, 0)
    assert {reader: e.score for reader, e in apart.entries.items()} == {"anna": 3, "ben": 1}
    with open_consensus(filled, "Prof. Chen") as log:
        assert settle_unanimous(log, consensus_items(seen(filled))) == 1
        settle(log, apart, 2, comment="ghosts at the base")
        settle(log, alone, 2)
        log.undo()
        assert settle_unanimous(log, consensus_items(seen(filled))) == 0
    assert [d.settled.score if d.settled else None for d in consensus_items(seen(filled))] == [
        5,
        2,
        None,
    ]
    consensus = read_scores(filled.scores_folder / "consensus.jsonl")
    assert {e.adjudicator for e in consensus.entries.values()} == {"Prof. Chen"}
    assert export_labels(seen(filled), "consensus", tmp_path / "labels.csv").rows == 2
