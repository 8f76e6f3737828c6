"""A reader at work: from the first case to the last, with trouble on the way."""

import shutil

import pytest

from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.reading_clock import ReadingClock
from MotionQALib.reading.reading_errors import InUse, NotSaved
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.study import Study


@pytest.fixture
def session(filled):
    with ReadingSession(filled, "anna") as session:
        yield session


def score(session, value, **details):
    return session.log.save(session.item.key, value, **details)


def test_a_study_is_read_from_the_first_to_the_last(session):
    for index in range(12):
        assert not session.finished
        item = session.go(index)
        assert session.file_of(item).exists() and item.key not in session.log.entries
        score(session, 1 + index % 5)
        assert session.log.entries[item.key].score == 1 + index % 5
    assert session.finished


def test_it_goes_on_where_the_last_session_ended(session, filled):
    first = session.go(0)
    score(session, 2)
    session.close()
    with ReadingSession(Study.open(filled.folder), "anna") as again:
        assert again.log.entries[first.key].score == 2
        assert again.worklist.items == session.worklist.items


def test_the_time_of_a_case_starts_with_it(session):
    now = [0.0]
    session.clock = ReadingClock(session.study.idle_after, now=lambda: now[0])
    session.go(3)
    now[0] = 12.5
    assert session.clock.seconds == 12.5
    session.go(4)
    now[0] = 9999.0
    assert session.clock.seconds == session.study.idle_after


def test_undo_tells_which_item_it_was(session):
    assert session.undo() is None
    session.go(5)
    score(session, 4)
    assert session.undo() == 5 and session.item.key not in session.log.entries


def test_cases_moved_or_added_meanwhile_keep_their_scores(session, images, write_image, tmp_path):
    item = session.go(2)
    score(session, 1)
    moved = tmp_path / "moved"
    shutil.move(images, moved)
    assert session.file_of(item) is None
    write_image(moved / "new.nii.gz", 77)
    list(session.cases.add(listed(moved)))
    session.rebuild()
    assert session.index == 2 and session.log.entries[session.item.key].score == 1
    assert session.file_of(session.item).parent == moved
    assert len(session.worklist) == 13


def test_the_networks_grade_is_hidden_until_the_case_is_scored(tmp_path, images):
    study = Study.create(tmp_path / "slices", level="slice")
    list(CaseList(study).add(listed(images)))
    with ReadingSession(study, "anna") as session:
        for index in range(3):
            assert not session.may_see_network(session.go(index))
            score(session, 4)
        assert session.may_see_network(session.worklist.items[0])
        assert not session.may_see_network(session.worklist.items[3])
        session.undo()
        assert not session.may_see_network(session.worklist.items[0])


def test_where_cases_come_back_the_network_does_not_tell_which(tmp_path, images):
    study = Study.create(tmp_path / "repeated", repeats=0.5)
    list(CaseList(study).add(listed(images)))
    with ReadingSession(study, "anna") as session:
        for index in range(len(session.worklist)):
            item = session.go(index)
            score(session, 4)
            assert session.may_see_network(item) == session.finished
        assert session.may_see_network(session.worklist.items[0])


def test_where_the_study_is_not_blind_the_network_is_shown(tmp_path, images):
    study = Study.create(tmp_path / "open", blind_to_network=False)
    list(CaseList(study).add(listed(images)))
    with ReadingSession(study, "anna") as session:
        assert session.may_see_network(session.go(0))


def test_other_readers_are_hidden_until_the_end(session):
    for index in range(12):
        assert not session.may_see_others
        session.go(index)
        score(session, 3)
    assert session.may_see_others
    session.undo()
    assert not session.may_see_others


def test_a_failed_save_leaves_the_item_unscored(session):
    item = session.go(0)
    session.log.path.unlink()
    with pytest.raises(NotSaved) as failed:
        score(session, 4, comment="keep me")
    assert failed.value.entry.comment == "keep me"
    assert item.key not in session.log.entries


def test_the_same_reader_twice_is_refused(session, filled):
    with pytest.raises(InUse):
        ReadingSession(filled, "anna")
    ReadingSession(filled, "ben").close()


def test_the_networks_doubts_decide_the_order(tmp_path, images):
    study = Study.create(tmp_path / "doubts", order="uncertain")
    list(CaseList(study).add(listed(images)))
    keys = [case.key for case in CaseList(study).cases]
    with ReadingSession(study, "anna", {keys[7]: 0.8, keys[3]: 0.4}) as session:
        assert [item.key.case for item in session.worklist.items[:2]] == [keys[7], keys[3]]
