"""The results of a batch in a folder, kept on the way: whoever comes later goes on from there.

    with BatchFolder.open(path) as results:    # InUse: another process writes there
        for line in results.lines(): ...         # what earlier runs graded
        line = results.add(key, assessment, png) # on disk when this returns, or NotSaved
        results.write_tables(order, failures)    # grades.csv, not-graded.csv

A volume is known by a key that is made of its file's place, size and time, of the checkpoint and
of the settings; neither places nor names of patients are written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import reports
from ..batch import fingerprint
from ..reading.disk import write_all
from ..reading.durable_lines import DurableLines
from ..reading.reading_errors import NotSaved, ReadingError
from ..results import Assessment
from ..spreadsheet_files import write_rows

RESULTS, TABLE, FAILURES, PICTURES = "grades.jsonl", "grades.csv", "not-graded.csv", "pictures"


@dataclass(frozen=True)
class KnownLine:
    """An assessment that the folder holds, and where its line begins, in bytes."""

    key: str
    line: int
    assessment: Assessment


class BatchFolder:
    """Written by one process at a time; use `open`. Anybody may read meanwhile."""

    def __init__(self, folder: Path, log: DurableLines) -> None:
        self.folder = folder
        self._log = log
        self._lines: dict[str, int] = {}

    @classmethod
    def open(cls, folder: str | Path) -> BatchFolder:
        """Make the folder, if it is not there, and take the right to write in it.

        Raises
        ------
        InUse : another process writes there
        NotSaved : it cannot be written
        """
        folder = Path(folder)
        try:
            (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotSaved(
                f"{folder} cannot be made ({error.strerror}); choose another folder."
            ) from error
        return cls(folder, DurableLines.create(folder / RESULTS, f"The results in {folder}"))

    def __enter__(self) -> BatchFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    def lines(self) -> Iterator[KnownLine]:
        """What is there, one after the other; of a key that comes again, the last counts."""
        for known in read_results(self.folder):
            self._lines[known.key] = known.line
            yield known

    def picture(self, key: str) -> Path:
        return self.folder / PICTURES / f"{key}.png"

    def add(self, key: str, assessment: Assessment, picture: bytes = b"") -> int:
        """Keep a result; where its line begins, in bytes. NotSaved if it is not on the disk."""
        if picture:
            self._write_picture(self.picture(key), picture)
        values = replace(assessment, source=None).to_dict()
        try:
            line = self._log.path.stat().st_size
        except OSError:
            line = 0  # it has gone, which the log says in a sentence
        self._log.append({"key": key, "assessment": values})
        self._lines[key] = line
        return line

    def beat(self) -> None:
        """Tell other machines that this process lives: about once a minute."""
        self._log.beat()

    def write_tables(self, keys: Iterable[str], failures: Sequence[tuple[str, str]]) -> None:
        """Write the results of these volumes as a table, in this order, and what failed.

        Raises NotSaved where it cannot be written; the lines are there nevertheless.
        """
        found = (self._lines[key] for key in keys if key in self._lines)
        try:
            reports.write_csv((read_line(self.folder, line) for line in found), self.folder / TABLE)
            write_rows(self.folder / FAILURES, ("volume", "reason"), failures)
        except OSError as error:
            raise NotSaved(
                f"{self.folder / TABLE} could not be written ({error.strerror}); make room and "
                "start the batch again: nothing is graded twice."
            ) from error

    @staticmethod
    def _write_picture(path: Path, content: bytes) -> None:
        try:
            with path.open("wb", buffering=0) as file:
                write_all(file.fileno(), content)
        except OSError:
            return  # a full disk is told by the line that follows; the picture can be missed


def key_of(path: Path, settings: str) -> str:
    """Of a volume as its file is now, graded by these settings: 32 hexadecimal digits."""
    text = f"{settings} {fingerprint(path)}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def read_results(folder: str | Path) -> Iterator[KnownLine]:
    """The whole lines of a results' folder; what is torn or no result is left out."""
    try:
        file = (Path(folder) / RESULTS).open("rb")
    except FileNotFoundError:
        return
    with file:
        line = 0
        for content in file:
            if content.endswith(b"\n") and (known := _known(content, line)) is not None:
                yield known
            line += len(content)


def read_line(folder: str | Path, line: int) -> Assessment:
    """The result that begins there, in bytes; ReadingError where there is none any more."""
    path = Path(folder) / RESULTS
    try:
        with path.open("rb") as file:
            file.seek(line)
            known = _known(file.readline(), line)
    except OSError as error:
        raise ReadingError(f"{path} cannot be read ({error.strerror}).") from error
    if known is None:
        raise ReadingError(f"{path} was changed by another program; start the batch again.")
    return known.assessment


def _known(content: bytes, line: int) -> KnownLine | None:
    try:
        entry = json.loads(content)
        return KnownLine(str(entry["key"]), line, Assessment.from_dict(entry["assessment"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
