"""Whatever a log holds, it can be opened and read, and nobody's line is touched."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import Case
from MotionQALib.reading.consensus import consensus_items
from MotionQALib.reading.durable_lines import DurableLines, read_lines
from MotionQALib.reading.reading_errors import StudyError
from MotionQALib.reading.score_entry import ItemKey, ScoreEntry
from MotionQALib.reading.score_exports import export_long
from MotionQALib.reading.scores import ScoreLog
from MotionQALib.reading.study import Study
from MotionQALib.reading.study_scores import StudyScores
from MotionQALib.reading.worklist import Worklist

ABSURD = st.sampled_from([10**400, -(10**400), 1e308, "9" * 400, [[[]]], "\ud800"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ABSURD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEY = ItemKey("voxels:a")
ENTRY = ScoreEntry(KEY, "anna", 3, confidence=1, seconds=1.0, comment="x").to_record()
CASE = Case("voxels:a", "a", "a.nii", "a", 1, 3, 0, (1, 2, 3)).to_record()


def with_one_changed(record):
    names = st.sampled_from(sorted(record))
    return st.builds(lambda name, value: {**record, name: value}, names, ANYTHING)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"{}", b"[]", b"\n", b'{"a":1}'])).map(b"".join)
)
@example(b"[" * 100_000 + b"\n")
@example(b'{"a": ' * 100_000)
@example(b"\xff\xfe{\x00}\x00\n")
def test_any_bytes_can_be_opened_and_gone_on_with(tmp_path, content):
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with DurableLines.create(path, "The scores of anna") as log:
        log.append({"n": 1})
    whole = content[: content.rfind(b"\n") + 1]
    assert path.read_bytes() == whole + b'{"n":1}\n'
    lines = read_lines(path)
    assert lines.records[-1][1] == {"n": 1} and not lines.torn
    filled = sum(bool(line.strip()) for line in whole.split(b"\n"))
    assert len(lines.records) + len(lines.damaged) == filled + 1


@given(with_one_changed(ENTRY) | st.dictionaries(st.text(), ANYTHING))
def test_any_record_is_an_entry_or_a_value_error(record):
    try:
        entry = ScoreEntry.from_record(record)
    except ValueError:
        return
    assert ScoreEntry.from_record(json.loads(json.dumps(entry.to_record()))).key == entry.key


@given(with_one_changed(CASE) | st.dictionaries(st.text(), ANYTHING))
def test_any_record_is_a_case_or_a_value_error(record):
    try:
        case = Case.from_record(record)
    except ValueError:
        return
    assert Case.from_record(case.to_record()) == case


def lines_of(*records):
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(with_one_changed(ENTRY) | st.dictionaries(st.text(), ANYTHING), max_size=4))
@example([{**ENTRY, "seconds": 10**400}])
@example([{**ENTRY, "slice": 10**400}])
@example([{**ENTRY, "version": 10**400}])
@example([{**ENTRY, "comment": "\ud800"}])
def test_strange_lines_leave_the_good_ones(study, tmp_path_factory, records):
    """The log is read, gone on with, compared and exported as if they were not there."""
    path = study.scores_folder / "anna.jsonl"
    path.write_bytes(lines_of({**ENTRY, "case": "voxels:first"}, *records, ENTRY))
    with ScoreLog.open(study, "anna") as log:
        assert log.entries[KEY].score == 3 and ItemKey("voxels:first") in log.entries
        assert all(len(said) < 600 for said in log.reports)
        log.save(ItemKey("voxels:last"), 2)
        assert log.undo() == ItemKey("voxels:last")
    scores = StudyScores.for_coordinator(study)
    assert KEY in scores.readers[0].entries
    table = tmp_path_factory.mktemp("t") / "long.csv"
    assert export_long(scores, table).rows == len(scores.readers[0].entries)
    agreement(scores, resamples=0)
    consensus_items(scores)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(with_one_changed(CASE) | st.dictionaries(st.text(), ANYTHING), max_size=3))
@example([{**CASE, "n_slices": 10**400}])
@example([{**CASE, "n_slices": 10**9}])
def test_strange_cases_leave_the_good_ones(tmp_path_factory, records):
    study = Study.create(tmp_path_factory.mktemp("s"), level="slice")
    study.cases_file.write_bytes(lines_of(*records, {**CASE, "key": "voxels:good"}))
    cases = CaseList(study)
    assert cases.get("voxels:good").n_slices == 3
    assert Worklist(study, cases.cases).index_of(ItemKey("voxels:good", 2)) is not None


@pytest.mark.parametrize("name", ["repeats", "repeat_distance", "idle_after", "seed", "blinded"])
@pytest.mark.parametrize("value", [10**400, -(10**400), [], "9" * 400])
def test_absurd_settings_are_a_sentence_or_settings(study, name, value):
    content = json.loads((study.folder / "study.json").read_text())
    (study.folder / "study.json").write_text(json.dumps({**content, name: value}))
    try:
        Worklist(Study.open(study.folder), [])
    except StudyError as error:
        assert len(str(error)) < 600
