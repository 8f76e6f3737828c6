"""Tables that people and spreadsheets write: CSV in their many dialects, one reader for all.

Columns may be parted by commas, semicolons or tabs; Excel's ``sep=;`` line, a byte order mark,
UTF-16 ("Unicode text"), blank lines and lines of remarks (``#``) before the column names, and any
ends of lines are taken as they come.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path


class TableError(ValueError):
    """A table that cannot be read; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Parameters
    ----------
    path : of the file
    columns : names in lower case; a column without one is ""
    header_line : the line of the column names, from 1; 1 for an empty file
    rows : line in the file, cells without blanks around them
    """

    path: Path
    columns: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]


def read_table(path: str | Path) -> Table:
    """Read a CSV file of any dialect; rows without any text are left out.

    Raises TableError.
    """
    path = Path(path)
    text, delimiter, skipped = _without_preamble(_text(path))
    lines = io.StringIO(text, newline="")  # a quoted value may hold ends of lines
    reader = csv.reader(lines, delimiter=delimiter or _delimiter(text), strict=True)
    rows = []
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((skipped + reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise TableError(f"{path} is not a readable CSV file ({error}); save it again.") from error
    return Table(path, columns, skipped + 1, rows)


def number_of(text: str) -> float:
    """A number as spreadsheets write it, ``3``, ``3.0`` or ``3,0``; ValueError for others."""
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        text = text.replace(",", ".")
    return float(text)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise TableError(f"{path} cannot be read: {reason}; check the path.") from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path} is not a text file in UTF-8; save it as CSV UTF-8.") from error
    if "\0" in text:
        raise TableError(f"{path} is not a text file; save it as CSV UTF-8.")
    return re.sub(r"\r\n?", "\n", text)


def _without_preamble(text: str) -> tuple[str, str, int]:
    """The text from its column names on, the delimiter that it declares, and lines before."""
    delimiter, skipped = "", 0
    while text:
        line, _, rest = text.partition("\n")
        declared = re.fullmatch(r'"?sep=(.)"?[;,\t]*', line.strip(" "), re.IGNORECASE)
        if declared:
            delimiter = declared.group(1)
        elif line.strip(' ,;\t"') and not line.lstrip().lstrip('"').startswith("#"):
            break
        text, skipped = rest, skipped + 1
    return text, delimiter, skipped


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)
