"""Whatever a log holds, it can be opened and read, and nobody's line is touched."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from MotionQALib.reading.cases import Case
from MotionQALib.reading.durable_lines import DurableLines, read_lines
from MotionQALib.reading.score_entry import ItemKey, ScoreEntry

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ENTRY = ScoreEntry(
    ItemKey("voxels:a"), "anna", 3, confidence=1, seconds=1.0, comment="x"
).to_record()
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
