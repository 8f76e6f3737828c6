"""What was acquired again is shown beside what it replaces."""

import json

import pytest

from cine_objects import series
from MotionQALib.arrivals.arrival_entry import Entry
from MotionQALib.arrivals.arriving_series import ArrivingSeries
from MotionQALib.arrivals.image_facts import ImageFacts
from MotionQALib.arrivals.ledger import Ledger
from MotionQALib.arrivals.repetition import with_repeated
from MotionQALib.reading.reading_errors import InUse

STUDY = "1.2.3.4"


@pytest.fixture
def entry_of(assessment_of):
    def make(*scores, study=STUDY, status="graded", **options):
        images = [ImageFacts.of(d) for d in series(slices=len(scores), study=study, **options)]
        gathered = ArrivingSeries(images[0].series)
        for image in images:
            gathered.add(image)
        return Entry.of(gathered, "2026-01-01", status, assessment=assessment_of(*scores))

    return make


def test_slices_acquired_again_are_found_by_their_place(entry_of):
    whole = entry_of(5, 5, 4, 4, 5, 2, 2, 3)
    again = entry_of(5, 5, first=5, seed=1, series_number=9)
    (found,) = with_repeated(again, [whole]).repeated
    assert found.sentence == "slices 5, 6: 2 → 5"
    assert found.slices == ((5, 0), (6, 1))
    assert whole.again == [5, 6]


def test_the_latest_attempt_is_what_is_replaced(entry_of):
    whole = entry_of(5, 1, 5)
    second = with_repeated(entry_of(2, first=1, seed=1, series_number=8), [whole])
    third = with_repeated(entry_of(4, first=1, seed=2, series_number=9), [whole, second])
    assert second.repeated[0].sentence == "slice 1: 1 → 2"
    assert [(r.number, r.sentence) for r in third.repeated] == [(8, "slice 0: 2 → 4")]


@pytest.mark.parametrize(
    "options",
    [
        {"study": "9.9"},
        {"first": 20},
        {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        {"status": "skipped"},
    ],
)
def test_other_slices_are_no_repetition(entry_of, options):
    assert with_repeated(entry_of(5, 5, seed=1), [entry_of(1, 1, **options)]).repeated == ()


def test_an_entry_survives_json(entry_of):
    entry = with_repeated(entry_of(5, 2, seed=1), [entry_of(1, 1)])
    assert entry.repeated
    assert Entry.from_dict(json.loads(json.dumps(entry.to_dict()))) == entry


def test_the_ledger_knows_what_it_was_told_after_a_restart(entry_of, tmp_path):
    path = tmp_path / "results.jsonl"
    entry, other = entry_of(5, 2), entry_of(4, seed=1)
    incomplete = Entry(**{**other.to_dict(), "status": "incomplete", "repeated": ()})
    with Ledger(path) as ledger:
        ledger.add(Entry.from_dict({**entry.to_dict(), "report": "a.dcm"}), {"assessment": {}})
        ledger.add(incomplete)
        assert [e.content for e in ledger.unreported] == [entry.content]
        assert ledger.unsent("PACS") == []  # nothing is there to be sent
        ledger.reported(entry.content)
        assert [e.content for e in ledger.unsent("PACS")] == [entry.content]
        ledger.sent(entry.content, "PACS")
        with pytest.raises(InUse):
            Ledger(path)
    path.write_bytes(path.read_bytes() + b'{"entry": {"series": "cut sho')
    with Ledger(path) as ledger:
        assert ledger.knows(entry.content) and not ledger.knows(other.content)
        assert ledger.unsent("PACS") == [] and len(ledger.unsent("OTHER")) == 1
        assert ledger.unreported == []
        assert [e.status for e in ledger.entries] == ["graded", "incomplete"]
        assert len(ledger.reports) == 1
        assert len(list(ledger.records())) == 2
