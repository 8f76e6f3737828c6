"""A reader's log: what stands, undo, its schema, and how a reader goes on after trouble."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import MotionQALib
from MotionQALib.reading.durable_lines import read_lines
from MotionQALib.reading.reading_errors import InUse, NotSaved, ReadingError
from MotionQALib.reading.score_entry import ARTEFACTS, CONFIDENCES, ItemKey, ScoreEntry
from MotionQALib.reading.scores import (
    ScoreLog,
    file_name,
    import_rescued,
    read_scores,
    rescue,
)
from MotionQALib.reading.unsaved_scores import UnsavedScores

SCHEMA = json.loads(
    (Path(MotionQALib.__file__).parents[1] / "Resources/MotionQA-score-log.schema.json").read_text()
)
A, B = ItemKey("voxels:a"), ItemKey("voxels:b", 2, 1)


@pytest.fixture
def log(study):
    with ScoreLog.open(study, "Anna") as log:
        yield log


KINDS = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}


def faults(value, schema, where="line"):
    """What of JSON Schema our file uses: the faults of a value."""
    assert set(schema) <= {
        "$schema", "title", "description", "type", "required", "properties", "const", "enum",
        "pattern", "minLength", "minimum", "maximum", "items",
    }  # fmt: skip
    found = []
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_flag = isinstance(value, bool)
    if kinds and not any(
        isinstance(value, KINDS[kind]) and is_flag == (kind == "boolean") for kind in kinds
    ):
        return [f"{where}: {value!r} is no {kinds}"]
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else [value])
    if not any(value == a and isinstance(value, bool) == isinstance(a, bool) for a in allowed):
        found.append(f"{where}: {value!r} is not allowed")
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            found.append(f"{where}: {value!r} is not as {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{where} is empty")
    if isinstance(value, (int, float)) and value < schema.get("minimum", value):
        found.append(f"{where}: {value} is too small")
    if isinstance(value, (int, float)) and value > schema.get("maximum", value):
        found.append(f"{where}: {value} is too large")
    if isinstance(value, list):
        found += [f for item in value for f in faults(item, schema.get("items", {}), where)]
    if isinstance(value, dict):
        found += [f"{name} is missing" for name in schema.get("required", []) if name not in value]
        known = schema.get("properties", {})
        found += [f for k, v in value.items() if k in known for f in faults(v, known[k], k)]
        found += [f"{name} is not described" for name in value if known and name not in known]
    return found


ENTRIES = st.builds(
    ScoreEntry,
    key=st.builds(
        ItemKey,
        st.sampled_from(["voxels:a", "dicom:1.2"]),
        st.none() | st.integers(0, 9),
        st.integers(0, 1),
    ),
    reader=st.just("Anna"),
    score=st.none() | st.integers(1, 5),
    grade=st.sampled_from([None, "mild", "moderate", "severe"]),
    confidence=st.sampled_from([None, *CONFIDENCES]),
    artefacts=st.lists(st.sampled_from(ARTEFACTS), unique=True).map(tuple),
    comment=st.text(),
    seconds=st.none() | st.floats(0, 1e6).map(lambda s: round(s, 3)),
    undo=st.booleans(),
    adjudicator=st.none() | st.just("prof"),
)


@given(ENTRIES)
def test_every_line_fits_the_schema_and_reads_back(entry):
    record = json.loads(json.dumps(entry.to_record()))
    assert faults(record, SCHEMA) == []
    assert ScoreEntry.from_record(record) == entry


STRANGE = st.sampled_from([7, "x", True, [1], 10**400])


@given(ENTRIES, st.sampled_from(sorted(SCHEMA["properties"])), STRANGE)
def test_schema_and_reader_refuse_the_same(entry, name, value):
    record = {**entry.to_record(), name: value}
    try:
        ScoreEntry.from_record(record)
    except ValueError:
        refused = True
    else:
        refused = False
    # A grade that contradicts its score is put right, and a strange time is only ever shown.
    if name != "time":
        assert refused == bool(faults(record, SCHEMA)), faults(record, SCHEMA)


def test_the_last_line_of_a_place_wins(log, study):
    log.save(A, 4, artefacts=("blur", "flow"), confidence=2, comment="apex", seconds=3.25)
    log.save(B, 1)
    log.save(A, 3)
    read = read_scores(study.scores_folder / "anna.jsonl")
    assert read.reader == "Anna" and read.damaged == ()
    assert {key: e.score for key, e in read.entries.items()} == {A: 3, B: 1}
    assert log.entries == read.entries
    assert read.entries[A].grade == "moderate"


def test_undo_is_one_more_line_and_goes_back_step_by_step(log, study):
    for key, score in ((A, 4), (A, 2), (B, 5)):
        log.save(key, score)
    states = []
    while (key := log.undo()) is not None:
        states.append((key, {p: e.score for p, e in log.entries.items()}))
    assert states == [(B, {A: 2}), (A, {A: 4}), (A, {})]
    assert len(read_lines(log.path).records) == 6
    assert read_scores(log.path).entries == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.none() | st.tuples(st.sampled_from([A, B]), st.integers(1, 5)), max_size=12))
def test_a_session_that_is_opened_again_undoes_as_if_it_had_not_been_closed(study, steps):
    (study.scores_folder / "ben.jsonl").unlink(missing_ok=True)
    history = [{}]
    for step in steps:
        with ScoreLog.open(study, "ben") as log:
            if step is None:
                undone = log.undo()
                assert (undone is None) == (len(history) == 1)
                history = history[:-1] or history
            else:
                log.save(*step)
                history.append({**history[-1], step[0]: step[1]})
            assert {p: e.score for p, e in log.entries.items()} == history[-1]


def test_two_sessions_of_a_reader_are_refused_but_not_two_readers(log, study):
    with pytest.raises(InUse, match="The scores of anna are open in another session"):
        ScoreLog.open(study, "anna")
    ScoreLog.open(study, "Ben").close()


def test_lines_off_the_schema_are_left_out_and_told(log, study):
    log.save(A, 4)
    log.close()
    good = json.loads(log.path.read_text())
    for fault in ({"score": 6}, {"version": 2}, {"case": ""}, {"seconds": -1}, {"slice": "1"}):
        with log.path.open("a") as file:
            file.write(json.dumps({**good, **fault}) + "\n")
    with ScoreLog.open(study, "Anna") as again:
        assert [line.split(" of ")[0] for line in again.reports] == [
            f"Line {n}" for n in (2, 3, 4, 5, 6)
        ]
        assert "of version 2" in again.reports[1]
        assert {p: e.score for p, e in again.entries.items()} == {A: 4}


@pytest.mark.parametrize(
    "details",
    [
        {"score": 6},
        {"score": 0},
        {"score": True},
        {},
        {"grade": "awful"},
        {"score": 3, "artefacts": ("noise",)},
        {"score": 3, "confidence": 9},
        {"score": 3, "seconds": float("nan")},
    ],
)
def test_what_is_off_the_scale_is_not_written(log, details):
    with pytest.raises(ValueError):
        log.save(A, **details)
    assert log.path.read_bytes() == b""


RESERVED = ["con", "CON.", "Con .txt", "aux.scores", "COM1", "com¹", "LPT³.a", "ＣＯＮ", "nul "]
LONG = ["x" * 101, "ß" * 51]


@pytest.mark.parametrize("name", [*RESERVED, *LONG, "\ud800", "a\u202eb"])
def test_names_that_some_system_cannot_keep_are_refused(study, name):
    with pytest.raises(ReadingError, match="name") as refused:
        ScoreLog.open(study, name)
    assert len(str(refused.value)) < 200 and list(study.scores_folder.iterdir()) == []


@pytest.mark.parametrize("name", ["ΐ" * 50, "ᾷ" * 33, "ŉ" * 50, "x" * 100])
def test_the_longest_names_can_be_saved_and_rescued(study, tmp_path, name):
    with ScoreLog.open(study, name) as log:
        entry = log.save(A, 4)
    assert read_scores(rescue(entry, tmp_path)).entries[A].score == 4


@pytest.mark.parametrize(
    ("first", "second"), [("Ann Lee", "ann-lee"), ("Straße", "Strasse"), ("É", "e\u0301")]
)
def test_whose_log_it_is_is_said_before_the_first_score(study, first, second):
    with ScoreLog.open(study, first) as log:
        assert log.reports == []
        log.save(A, 4)
    with ScoreLog.open(study, second) as log:
        (said,) = log.reports
    assert f"These are the scores of {first}: 1 so far" in said and repr(second) in said
    with ScoreLog.open(study, first) as log:
        assert log.reports == []


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", "a\nb", "con", "consensus", "Network"])
def test_names_that_make_no_file_are_refused(study, name):
    with pytest.raises(ReadingError, match="name"):
        ScoreLog.open(study, name)


def test_names_of_people_are_taken():
    assert file_name("Dr. Müller") == file_name("dr. müller") == "dr.-müller"
    assert file_name("李医生") == "李医生"
    assert file_name("İpek") and file_name("प्रिया") == "प्रिया"


def test_a_score_that_could_not_be_saved_is_rescued_and_comes_back(study, tmp_path):
    with ScoreLog.open(study, "anna") as log:
        log.save(A, 4)
        kept = log.path.read_bytes()
        log.path.unlink()
        with pytest.raises(NotSaved) as failed:
            log.save(B, 2, comment="kept on screen")
        assert B not in log.entries  # never shown as saved
    rescued = rescue(failed.value.entry, tmp_path)
    log.path.write_bytes(kept)
    with ScoreLog.open(study, "anna") as log:
        assert import_rescued(log, rescued) == [B]
        assert log.entries[B].comment == "kept on screen"
        assert import_rescued(log, rescued) == []
        log.save(A, 5)
        rescue(ScoreEntry(A, "anna", 1, time="2020-01-01T00:00:00"), tmp_path)
        assert import_rescued(log, rescued) == []  # what is older does not win


def test_the_logs_order_decides_what_is_newer_not_the_clock(study, tmp_path, monkeypatch):
    """The clock is set back between a score and one that cannot be saved, and forwards again."""
    with ScoreLog.open(study, "anna") as log:
        unsaved = UnsavedScores(log)
        unsaved.add(ScoreEntry(A, "anna", 2, time="2026-11-26T12:00:00.000+00:00"))
        unsaved.add(ScoreEntry(B, "anna", 2, time="2026-11-26T12:00:01.000+00:00"))
        kept = log.path.read_bytes()
        log.path.unlink()
        unsaved.add(ScoreEntry(A, "anna", 5, time="2026-11-26T09:00:00.000+00:00"))
        assert unsaved.entries[A].after == 2
        rescued = rescue(unsaved.entries[A], tmp_path)
        log.path.write_bytes(kept)
        assert import_rescued(log, rescued) == [A] and log.entries[A].score == 5
        assert import_rescued(log, rescued) == []
    with ScoreLog.open(study, "anna") as log:  # the order is the file's
        assert import_rescued(log, rescued) == [] and "after" not in log.path.read_text()
        log.undo()
        assert log.entries[A].score == 2
        assert import_rescued(log, rescued) == []  # it was taken back later


def test_rescued_scores_of_another_reader_are_not_taken(log, study, tmp_path):
    rescued = rescue(ScoreEntry(B, "ben", 3), tmp_path)
    with pytest.raises(ReadingError, match="scores of ben, not of Anna"):
        import_rescued(log, rescued)
    assert not log.entries and log.path.read_bytes() == b""
