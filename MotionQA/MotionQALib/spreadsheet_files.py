"""CSV files that people open in spreadsheets: no cell is run, and every row stays one row.

write_rows(path, columns, rows)          # whole or not at all
cell(value), original(text)              # how text is written, and what it was
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from .whole_files import written_whole

MARK = "\ufeff"
"""A byte order mark: without it, Excel takes letters beyond ASCII for others."""

_FORMULA = "=+-@"
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}
"""Kinds of letters that a spreadsheet passes over before a formula."""


def cell(value: object) -> object:
    """A value as it is written: text that would be run as a formula begins with an apostrophe.

    Spreadsheets take full-width signs and signs behind blanks for those of formulas, too. A bare
    carriage return would end the row.
    """
    if not isinstance(value, str):
        return "" if value is None else value
    text = value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return f"'{text}" if _is_escaped(text) else text


def original(text: str) -> str:
    """The text that `cell` has written so."""
    return text[1:] if text[:1] == "'" and _is_escaped(text[1:]) else text


def line(values: Iterable[object]) -> str:
    """One row, its end included."""
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator="\n").writerow([cell(value) for value in values])
    return content.getvalue()


def write_lines(path: str | Path, lines: Iterable[str], *, marked: bool = False) -> None:
    """Write rows that `line` made. Raises OSError.

    Parameters
    ----------
    marked : for people: Excel reads letters beyond ASCII rightly only behind a byte order mark
    """
    text = "".join(lines)
    with written_whole(path, newline="") as file:
        file.write(MARK + text if marked and not text.isascii() else text)


def write_rows(
    path: str | Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    marked: bool = False,
) -> None:
    """Write a table; as `write_lines`."""
    write_lines(path, map(line, (columns, *rows)), marked=marked)


def _is_escaped(text: str) -> bool:
    """Whether `cell` puts an apostrophe before it: before its own, too, so that it comes back."""
    return _runs(text.lstrip("'")) and (text[:1] == "'" or _runs(text))


def _runs(text: str) -> bool:
    """Whether a spreadsheet would take it for a formula."""
    if text[:1] in ("\t", "\n"):
        return True
    first = next((c for c in text if unicodedata.category(c) not in _UNSEEN), "")
    return unicodedata.normalize("NFKC", first)[:1] in set(_FORMULA)
