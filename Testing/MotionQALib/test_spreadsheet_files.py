"""No cell of a table for people is run by a spreadsheet, and every row stays one."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from MotionQALib.spreadsheet_files import MARK, cell, line, original, write_rows

RUN = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\u00a0=1", "\u200b=1", "＝1", " ＋1"]
RUN += ["\ufeff=1", "\n=1", "\tx", "－1", "＠a", "\x0b=1", "﹢1", "﹦1"]
TAME = ["P001-1-ED", "a=b", "(=1)", "", "心", "'a'", "1-2", "“=1”"]


@pytest.mark.parametrize("text", RUN)
def test_formulas_are_text(text):
    assert cell(text).startswith("'") and original(cell(text)) == text.replace("\r", "\n")


@pytest.mark.parametrize("text", TAME)
def test_other_text_is_as_it_was(text):
    assert cell(text) == text and original(text) == text


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text("'=a ＝\t", max_size=5)
)
def test_any_text_comes_back(text):
    assert original(cell(text)) == text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def test_numbers_stay_numbers_and_nothing_is_empty():
    assert [cell(value) for value in (-3, -0.5, None, True)] == [-3, -0.5, "", True]


@given(st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), max_size=4))
def test_a_row_stays_a_row(rows):
    text = "".join(map(line, (("a", "b"), *rows)))
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert "\r" not in text and lines == [["a", "b"], *([cell(v) for v in row] for row in rows)]


@pytest.mark.parametrize(("name", "marked"), [("Müller", True), ("Miller", False)])
def test_a_mark_leads_where_excel_needs_it(tmp_path, name, marked):
    for wanted in (True, False):
        write_rows(tmp_path / "t.csv", ("name",), [[name]], marked=wanted)
        text = (tmp_path / "t.csv").read_bytes().decode()
        assert text.startswith(MARK) == (marked and wanted) and text.endswith(f"name\n{name}\n")
