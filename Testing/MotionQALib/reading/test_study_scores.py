"""The one door to others' scores: who may pass it, and which logs are readers'."""

import ast
from pathlib import Path

import pytest

from MotionQALib.reading.adjudication import Adjudication
from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.consensus import consensus_items
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.reading_errors import Hidden, StudyError
from MotionQALib.reading.score_exports import export_labels, export_long
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.study import Study
from MotionQALib.reading.study_scores import StudyScores

ROOT = Path(__file__).resolve().parents[3]
READERS_OF_LOGS = {"scores.py", "study_scores.py"}
"""The only files that may read logs: anything else asks `StudyScores`."""


def finish(session, score=3):
    for item in session.worklist.items:
        session.log.save(item.key, score)


def test_an_unfinished_reader_sees_nothing_of_others(filled, read_as):
    read_as(filled, "ben", {"P001-1-ED": 5})
    with ReadingSession(filled, "anna") as session:
        session.log.save(session.worklist.items[0].key, 2)
        for door in (StudyScores.for_reader, StudyScores.for_adjudicator, StudyScores.of_reader):
            with pytest.raises(Hidden, match="not scored all cases yet"):
                door(session)
        with pytest.raises(Hidden):
            Adjudication(session)
        finish(session)
        assert {one.reader for one in StudyScores.for_reader(session).readers} == {"anna", "ben"}
        session.undo()
        with pytest.raises(Hidden):
            StudyScores.for_reader(session)


def test_who_sees_others_while_images_are_away_does_not_score_those(filled, read_as):
    """All that can be read is scored, so that others' may be seen; the drive comes back later."""
    read_as(filled, "ben", {"P001-1-ED": 5})
    with ReadingSession(filled, "anna") as session:
        scoring = ReaderScoring(session)
        first, *rest = session.worklist.items
        session.log.save(first.key, 2)
        session.unreadable |= {item.key.case for item in rest}
        assert StudyScores.for_reader(session).readers
        session.rebuild()
        scoring.go_to_key(rest[0].key)
        scoring.give(3)
        assert rest[0].key not in session.log.entries and not scoring.unsaved


def test_a_log_that_cannot_be_read_opens_no_door(filled, read_as):
    read_as(filled, "ben", {"P001-1-ED": 5})
    (filled.scores_folder / "ann.jsonl").mkdir()
    with pytest.raises(StudyError):
        StudyScores.for_person(filled, "ann")


def test_a_score_waits_for_no_list_of_who_has_seen_others(filled):
    with ReadingSession(filled, "anna") as session:
        scoring = ReaderScoring(session)
        scoring.go_to_key(session.worklist.items[0].key)
        filled.unblinded_file.mkdir()  # nothing there can be read any more
        scoring.give(4)
        assert [entry.score for entry in session.log.entries.values()] == [4]


def test_an_unfinished_reader_is_known_outside_of_the_panel_too(filled, read_as):
    read_as(filled, "ben", {"P001-1-ED": 5})
    with pytest.raises(Hidden):
        StudyScores.for_person(filled, "Ben")
    for name in ("somebody else", "", "con"):  # who reads nothing here
        assert [one.reader for one in StudyScores.for_person(filled, name).readers] == ["ben"]
    with ReadingSession(filled, "ben") as session:
        finish(session)
    assert StudyScores.for_person(filled, "ben").readers


def test_of_an_open_study_a_readers_own_scores_may_be_written(tmp_path, images, read_as):
    from MotionQALib.reading.case_list import CaseList
    from MotionQALib.reading.cases import listed

    study = Study.create(tmp_path / "open", blinded=False)
    list(CaseList(study).add(listed(images)))
    read_as(study, "ben", {"P001-1-ED": 5})
    with ReadingSession(study, "anna") as session:
        session.log.save(session.worklist.items[0].key, 2)
        own = StudyScores.of_reader(session)
        assert export_long(own, tmp_path / "own.csv").rows == 1
        assert "ben" not in (tmp_path / "own.csv").read_text()


def test_who_has_scored_nothing_may_adjudicate(filled, read_as):
    read_as(filled, "ben", {"P001-1-ED": 5})
    with ReadingSession(filled, "prof") as session:
        assert len(consensus_items(StudyScores.for_adjudicator(session))) == 1
        with pytest.raises(Hidden):
            StudyScores.for_reader(session)


def test_nothing_else_reads_logs():
    """A new door would be a way past this one."""
    found = {}
    for path in sorted(
        [*(ROOT / "MotionQA").rglob("*.py"), *(ROOT / "MotionQATrainer").rglob("*.py")]
    ):
        if path.name in READERS_OF_LOGS and path.parent.name == "reading":
            continue
        names = {
            node.id if isinstance(node, ast.Name) else node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Name | ast.Attribute)
        }
        called = names & {"read_scores"}
        called |= (
            {"scores_folder"} & names if path.name not in ("study.py", "consensus.py") else set()
        )
        if called:
            found[path.name] = called
    assert found == {}


COPIES = ("anna (1)", "anna (conflicted copy 2026-11-26)", "anna-PC", "Copy of anna", "anna 2")


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_a_log_is_no_reader(filled, read_as, tmp_path, name):
    read_as(filled, "anna", {"P001-1-ED": 5, "P001-2-ED": 3})
    read_as(filled, "ben", {"P001-1-ED": 4, "P001-2-ED": 2})
    log = filled.scores_folder / "anna.jsonl"
    log.with_name(f"{name}.jsonl").write_bytes(log.read_bytes())
    scores = StudyScores.for_coordinator(filled)
    assert [one.reader for one in scores.readers] == ["anna", "ben"]
    (remark,) = scores.tell()
    assert f"{name}.jsonl holds 2 lines of anna" in remark
    report = agreement(scores, resamples=0)
    assert {c.raters for c in report.comparisons} == {("anna", "ben")} and remark in report.remarks
    assert not any(item.unanimous for item in consensus_items(scores))
    assert export_long(scores, tmp_path / "long.csv").rows == 4


def test_a_log_that_repeats_anothers_lines_is_no_reader(filled, read_as):
    read_as(filled, "anna", {"P001-1-ED": 5, "P001-2-ED": 3})
    log = filled.scores_folder / "anna.jsonl"
    renamed = log.read_text("utf-8").replace('"reader":"anna"', '"reader":"zoe"')
    log.with_name("zoe.jsonl").write_text(renamed, "utf-8")
    scores = StudyScores.for_coordinator(filled)
    assert [one.reader for one in scores.readers] == ["anna"]
    assert "zoe.jsonl repeats the lines of another reader" in scores.tell()[0]


def test_a_copy_of_the_consensus_is_none_and_none_is_taken_for_it(filled, read_as):
    from MotionQALib.reading.consensus import open_consensus, settle

    read_as(filled, "anna", {"P001-1-ED": 5})
    with open_consensus(filled, "prof") as log:
        settle(log, consensus_items(StudyScores.for_coordinator(filled))[0], 2)
    content = log.path.read_bytes()
    log.path.with_name("consensus (1).jsonl").write_bytes(content)
    scores = StudyScores.for_coordinator(filled)
    assert [one.reader for one in scores.readers] == ["anna"] and len(scores.consensus.entries) == 1
    log.path.write_bytes((filled.scores_folder / "anna.jsonl").read_bytes())
    scores = StudyScores.for_coordinator(filled)
    assert not scores.consensus.entries and any("lines of anna" in said for said in scores.tell())


def test_the_same_scores_given_by_two_readers_are_two(filled, read_as):
    for reader in ("anna", "ben"):
        read_as(filled, reader, {"P001-1-ED": 5, "P001-2-ED": 3})
    scores = StudyScores.for_coordinator(filled)
    assert len(scores.readers) == 2 and scores.tell() == ()


def test_another_readers_lines_in_ones_own_log_are_not_ones_own(filled, read_as, tmp_path):
    read_as(filled, "ben", {"P001-1-ED": 5})
    ben = filled.scores_folder / "ben.jsonl"
    ben.rename(filled.scores_folder / "anna.jsonl")
    with ReadingSession(filled, "anna") as session:
        assert not session.log.entries
        assert any("1 lines of ben, whose log it is not" in said for said in session.reports)


def test_labels_of_a_reader_whose_log_is_a_copy_are_not_written(filled, read_as, tmp_path):
    read_as(filled, "anna", {"P001-1-ED": 5})
    (filled.scores_folder / "anna.jsonl").rename(filled.scores_folder / "ben.jsonl")
    with pytest.raises(Exception, match="ben has scored no case"):
        export_labels(StudyScores.for_coordinator(filled), "ben", tmp_path / "labels.csv")
