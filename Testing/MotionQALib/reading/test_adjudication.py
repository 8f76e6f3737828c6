"""Adjudicating by the protocol that readers score by, without a window."""

import os

import pytest

from MotionQALib.reading import adjudication as module
from MotionQALib.reading.adjudication import Adjudication
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.reading_errors import InUse
from MotionQALib.reading.scores import read_scores
from MotionQALib.reading.scoring import Scoring
from MotionQALib.reading.session import ReadingSession

SAID = {"anna": (4, 4, 2), "ben": (4, 1, 2)}


@pytest.fixture
def session(filled):
    with ReadingSession(filled, "prof") as session:
        yield session


@pytest.fixture
def adjudication(session, filled, read_as):
    names = ("P001-1-ED", "P001-2-ED", "P001-3-ED")
    for reader, scores in SAID.items():
        read_as(filled, reader, dict(zip(names, scores, strict=True)))
    adjudication = Adjudication(session)
    yield adjudication
    adjudication.close()


def settled(study):
    entries = read_scores(study.scores_folder / "consensus.jsonl").entries.values()
    return [(entry.score, entry.adjudicator) for entry in entries]


def test_it_leads_from_one_open_item_to_the_next(adjudication, filled):
    assert adjudication.readers == ["anna", "ben"] and adjudication.left == 3
    adjudication.give(3)
    assert adjudication.index == 1 and adjudication.given is None and adjudication.left == 2
    adjudication.settle_unanimous()
    assert adjudication.left == 1 and settled(filled) == [(3, "prof"), (2, "prof")]
    adjudication.give(5)
    assert adjudication.left == 0
    adjudication.undo()
    assert adjudication.left == 1 and adjudication.index == 1


def test_undoing_turns_to_the_item_that_was_settled(adjudication, filled):
    adjudication.go_to(2)
    adjudication.give(1)
    assert adjudication.index == 0
    adjudication.undo()
    assert adjudication.index == 2 and adjudication.given is None
    adjudication.give(4)
    assert settled(filled) == [(4, "prof")]
    assert [item.settled is None for item in adjudication.items] == [True, True, False]


def test_what_cannot_be_saved_stays_and_is_saved_with_the_next(adjudication, filled, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        adjudication.give(1)
        assert adjudication.index == 0 and adjudication.given.score == 1
        assert adjudication.left == 3 and "the disk is full" in adjudication.problem
        adjudication.next()
        adjudication.give(2)
        adjudication.undo()
        assert [entry.score for entry in adjudication.unsaved.values()] == [1]
    monkeypatch.setattr(module, "consensus_items", None)  # nothing is read again for one row
    adjudication.give(4)
    assert settled(filled) == [(1, "prof"), (4, "prof")] and adjudication.left == 1


def test_only_one_adjudicates(adjudication, filled):
    with ReadingSession(filled, "other") as session, pytest.raises(InUse, match="consensus"):
        Adjudication(session)


def test_who_adjudicates_without_having_read_cannot_read_any_more(adjudication, session):
    adjudication.close()
    scoring = ReaderScoring(session)
    scoring.go_to_reading(0)
    scoring.give(3)
    assert not scoring.entries and "would not be independent" in scoring.problem


def test_who_has_read_and_adjudicates_may_correct_scores(filled):
    with ReadingSession(filled, "anna") as session:
        for item in session.worklist.items:
            session.log.save(item.key, 3)
        Adjudication(session).close()
        assert not session.unblinded


@pytest.mark.parametrize("kind", [ReaderScoring, Adjudication])
def test_both_keep_to_the_protocol(kind):
    wanted = {name for name in vars(Scoring) if not name.startswith("_")}
    assert wanted <= {*dir(kind), "changed"} and {"give", "undo", "next", "beat"} <= wanted
    assert wanted - {"unsaved", "problem", "beat"} <= {*vars(kind), "changed"}  # not empty ones
