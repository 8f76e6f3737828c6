"""What is written about arriving series: the ledger, a table, a page and DICOM reports.

The ledger is written first and to the disk; the table and the page are made from it, and made
again if the program ended before they were. DICOM reports take longest and come last: the ledger
knows which are still owed.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..reports import csv_head, csv_rows
from ..results import Assessment, Row
from ..whole_files import write_whole, written_whole
from .arrival_entry import Entry
from .arrivals_page import page
from .attempts import Attempts
from .ledger import Ledger

LEDGER, TABLE, PAGE, REPORTS, PICTURES, BEGUN = (
    "results.jsonl",
    "grades.csv",
    "index.html",
    "reports",
    "pictures",
    "begun.json",
)

ON_PAGE = 100
"""Newest series on the page; all are in the table."""

DRAWN = 20
"""Newest series with pictures."""


@dataclass(frozen=True)
class Graded:
    """What grading a series gives.

    Attributes
    ----------
    assessment : of its volume
    pictures : PNG files by slice, the worst slices
    write_report : writes the DICOM report to a path, if there is one to write; see
        `ArrivalResults.write_report`
    """

    assessment: Assessment
    pictures: Mapping[int, bytes] | None = None
    write_report: Callable[[Path], None] | None = None


class ArrivalResults:
    """Results in a folder, by one process at a time; see the module.

    Parameters
    ----------
    folder : made where it is missing
    notice : what people must be told about the grades
    refresh : seconds after which the page shows itself anew

    Raises
    ------
    InUse, NotSaved : see `Ledger`
    """

    def __init__(self, folder: str | Path, notice: str = "", refresh: int = 10) -> None:
        self.folder = Path(folder)
        self._notice, self._refresh = notice, refresh
        self._troubles: dict[str, str] = {}
        for part in (self.folder, self.folder / REPORTS, self.folder / PICTURES):
            part.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(self.folder / LEDGER)
        self.attempts = Attempts(self.folder / BEGUN)
        self._table = self.folder / TABLE
        if not self._table_is_whole():
            self._write_table()
        self._write_page()

    def report_path(self, name: str) -> Path:
        return self.folder / REPORTS / name

    def add(self, entry: Entry, graded: Graded | None) -> Entry:
        """Write what became of a series, but for its report; on disk when this returns.

        Returns
        -------
        The entry as it was written, with the name its report will have.

        Raises
        ------
        NotSaved, OSError : nothing counts as written; it may be tried again
        """
        details: dict[str, Any] = {}
        if graded is not None:
            if graded.write_report is not None:
                entry = replace(entry, report=f"{entry.content}.dcm")
            for index, png in (graded.pictures or {}).items():
                write_whole(self._picture(entry, index), png)
            details["assessment"] = _compact(graded.assessment, entry)
        self.ledger.add(entry, details)
        # From here on it is graded: what cannot be written now is made from the ledger later.
        with suppress(OSError):
            if graded is not None:
                self._append(entry, graded.assessment)
            self._write_page()
            self._remove_old_pictures()
        return entry

    def write_report(self, entry: Entry, write: Callable[[Path], None]) -> None:
        """Write the report of an entry that was added; on disk, and noted, when this returns.

        Raises
        ------
        NotSaved, OSError : it may be tried again
        ValueError, RuntimeError : there is none to be had, which is noted, too
        """
        path = self.report_path(entry.report)
        try:
            if not path.is_file():  # written just before the program was killed
                write(path)
        except (ValueError, RuntimeError) as error:
            self.ledger.reported(entry.content, str(error) or type(error).__name__)
            raise
        self.ledger.reported(entry.content)

    @property
    def troubles(self) -> list[str]:
        """What keeps series from being graded now."""
        return [sentence for sentence in self._troubles.values() if sentence]

    def trouble(self, kind: str, sentence: str) -> bool:
        """Show on the page what keeps series from being graded, until it is empty.

        Returns whether that is another sentence than before.
        """
        if self._troubles.get(kind, "") == sentence:
            return False
        self._troubles[kind] = sentence
        with suppress(OSError):
            self._write_page()
        return True

    def assessment_of(self, content: str) -> Assessment | None:
        """What was graded of exactly these images."""
        found = None
        for record in self.ledger.records():
            if record.get("assessment") and record["entry"].get("content") == content:
                found = record["assessment"]
        return None if found is None else Assessment.from_dict(found)

    def close(self) -> None:
        self.ledger.close()

    def _append(self, entry: Entry, assessment: Assessment) -> None:
        lines = csv_rows(named(assessment, entry))
        with self._table.open("a", encoding="utf-8", newline="") as file:
            file.write(lines)

    def _write_table(self) -> None:
        with written_whole(self._table, newline="") as file:
            file.write(csv_head())
            for record in self.ledger.records():
                if record.get("assessment"):
                    file.write(csv_rows(Assessment.from_dict(record["assessment"])))

    def _table_is_whole(self) -> bool:
        """Whether the table ends with the last graded series' own line."""
        last = next((e for e in reversed(self.ledger.entries) if e.status == "graded"), None)
        try:
            with self._table.open("rb") as file:
                file.seek(max(0, self._table.stat().st_size - 400))
                tail = file.read().decode("utf-8", "replace")
        except OSError:
            return False
        if not tail.endswith("\n"):
            return False
        row = next(csv.reader(io.StringIO(tail.splitlines()[-1])))
        if last is None:
            return row == list(Row._fields)
        return row[0] == series_name(last) and row[1:3] == ["", ""]

    def _write_page(self) -> None:
        entries = self.ledger.entries[: -ON_PAGE - 1 : -1]
        drawn = {entry.content: self._pictures_of(entry) for entry in entries[:DRAWN]}
        with written_whole(self.folder / PAGE) as file:
            file.writelines(page(entries, drawn, self._notice, self._refresh, self.troubles))

    def _pictures_of(self, entry: Entry) -> dict[int, str]:
        found = {}
        for index in range(len(entry.scores)):
            with suppress(OSError):
                png = self._picture(entry, index).read_bytes()
                found[index] = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        return found

    def _picture(self, entry: Entry, index: int) -> Path:
        return self.folder / PICTURES / f"{entry.content}-{index}.png"

    def _remove_old_pictures(self) -> None:
        kept = {entry.content for entry in self.ledger.entries[-DRAWN:]}
        for path in (self.folder / PICTURES).glob("*.png"):
            if path.name.partition("-")[0] not in kept:
                path.unlink(missing_ok=True)


def series_name(entry: Entry) -> str:
    """A name for tables: the series' number, and what tells it from others of that number."""
    number = "" if entry.number is None else f"-{entry.number}"
    return f"series{number}-{entry.content[:8]}"


def named(assessment: Assessment, entry: Entry) -> Assessment:
    """The assessment under a name that tells nothing of the patient, and without its path."""
    return replace(assessment, volume=series_name(entry), source=None)


def _compact(assessment: Assessment, entry: Entry) -> dict[str, Any]:
    """For the ledger: six decimals are more than a grade needs."""
    assessment = replace(
        named(assessment, entry),
        probabilities=assessment.probabilities.round(6),
        volume_probabilities=assessment.volume_probabilities.round(6),
    )
    return assessment.to_dict()
