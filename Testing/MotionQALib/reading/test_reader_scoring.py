"""The score-safety core, without a window: nothing that was given is lost, and it is said."""

import os

import pytest

from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.scores import read_scores
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.study import Study


@pytest.fixture
def begin(tmp_path, images):
    """Begin a study of the images and score it: begin(level="slice")."""
    opened = []

    def begin(**settings):
        study = Study.create(tmp_path / "begun", order="listed", **settings)
        list(CaseList(study).add(listed(images)))
        opened.append(ReaderScoring(ReadingSession(study, "anna")))
        opened[-1].go_to_reading(0)
        return opened[-1]

    yield begin
    for scoring in opened:
        scoring.close()


def saved(scoring):
    return [e.score for e in read_scores(scoring.session.log.path).entries.values()]


def test_scores_lead_on_to_what_waits(begin):
    scoring, heard = begin(), []
    scoring.changed.connect(lambda: heard.append(scoring.reading))
    scoring.give(4)
    assert scoring.given.score == 4 and saved(scoring) == [4] and scoring.reading == 0
    assert scoring.next() and scoring.reading == 1
    scoring.give(2)
    assert scoring.follow() and scoring.reading == 2 and heard == [0, 1, 1, 2]
    scoring.undo()
    assert scoring.reading == 1 and scoring.given is None and saved(scoring) == [4]


def test_slices_of_a_case_come_before_the_next_case(begin):
    scoring = begin(level="slice")
    assert scoring.per_slice
    scoring.go_to_slice(1)
    for score in (5, 4, 3):
        scoring.give(score)
        scoring.follow()
    assert [scoring.scores_of(0), scoring.reading] == [[3, 5, 4], 0]
    assert not scoring.follow()  # the next case comes when the reader asks for it
    assert scoring.next() and (scoring.reading, scoring.item.key.slice) == (1, 0)


def test_all_scored_is_told(begin):
    scoring = begin()
    for _case in scoring.readings:
        scoring.give(3)
        more = scoring.next()
    assert not more and scoring.session.finished


def test_what_cannot_be_saved_is_kept_in_order_and_saved_later(begin, monkeypatch):
    scoring = begin()

    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for score in (5, 1):
            scoring.give(score)
            scoring.next()
        assert [entry.score for entry in scoring.unsaved.values()] == [5, 1]
        assert "the disk is full" in scoring.problem and saved(scoring) == []
        assert scoring.reading == 2 and not scoring.retry()
    scoring.give(3)  # takes the others along
    assert saved(scoring) == [5, 1, 3] and not scoring.unsaved and scoring.problem == ""
    assert scoring.last.score == 3


def test_an_unsaved_score_can_be_taken_back_or_kept_elsewhere(begin, tmp_path):
    scoring = begin()
    scoring.session.log.path.rename(tmp_path / "away")
    scoring.give(2)
    kept = scoring.save_elsewhere(tmp_path)
    assert [e.score for e in read_scores(kept).entries.values()] == [2] and scoring.unsaved
    scoring.undo()
    assert not scoring.unsaved and scoring.given is None and scoring.problem == ""


def test_details_wait_for_their_score(begin):
    scoring = begin()
    scoring.describe(comment="apex", confidence=None, artefacts=())
    assert not scoring.entries and scoring.drafts[scoring.item.key]["comment"] == "apex"
    scoring.give(3, comment="apex")
    scoring.describe(comment="base")
    assert (scoring.given.score, scoring.given.comment, scoring.drafts) == (3, "base", {})


def test_a_taken_over_session_is_told_until_it_has_passed(begin):
    scoring, heard = begin(), []
    scoring.changed.connect(lambda: heard.append(scoring.problem))
    lock = scoring.session.log.path.with_name(".anna.jsonl.lock")
    content = lock.read_bytes()
    lock.write_text('{"host": "elsewhere", "token": "other"}')
    scoring.beat()
    lock.write_bytes(content)
    scoring.beat()
    assert "taken over by another session on elsewhere" in heard[0] and heard[1:] == [""]
