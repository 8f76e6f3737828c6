"""The journal of what became of each series: nothing is graded twice, whatever ends the program.

A line is one JSON object, on disk before anything else says that the series is graded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..reading.durable_lines import DurableLines, read_lines
from .arrival_entry import Entry

KEPT = 5000
"""Latest entries in memory, for the page and for what is acquired again; older ones stay known by
their key alone."""


class Ledger:
    """Entries of series, newest last; written by one process at a time.

    Parameters
    ----------
    path : of the journal, JSON Lines; made where it is missing

    Raises
    ------
    reading.errors.InUse : another process writes it
    reading.errors.NotSaved : its folder cannot be written to

    Attributes
    ----------
    reports : sentences about lines that were found damaged
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lines = DurableLines.create(self.path, "The results")
        self.reports = list(self._lines.reports)
        self._entries: dict[str, Entry] = {}
        self._known: set[str] = set()
        self._sent: set[tuple[str, str]] = set()
        self._reported: dict[str, bool] = {}
        for _, record in read_lines(self.path).records:
            self._take(record)

    def _take(self, record: Mapping[str, Any]) -> None:
        try:
            if "sent" in record:
                self._sent.add((record["sent"], record["to"]))
            elif "reported" in record:
                self._reported[record["reported"]] = "reason" not in record
            else:
                self._keep(Entry.from_dict(record["entry"]))
        except (KeyError, TypeError, ValueError):
            self.reports.append(
                f"A line of {self.path.name} is of another version; it is left out."
            )

    def _keep(self, entry: Entry) -> None:
        if entry.status != "incomplete":
            self._known.add(entry.content)
        self._entries.pop(entry.series, None)  # a series that grew takes its place anew
        self._entries[entry.series] = entry
        while len(self._entries) > KEPT:
            self._entries.pop(next(iter(self._entries)))

    def knows(self, content: str) -> bool:
        """Whether exactly these images were dealt with; see `ArrivingSeries.content`."""
        return content in self._known

    def has(self, series: str) -> bool:
        """Whether something became of this series, with the images it had."""
        return series in self._entries

    def latest(self, series: str) -> Entry | None:
        return self._entries.get(series)

    @property
    def entries(self) -> list[Entry]:
        """The latest entry of each series, oldest first."""
        return list(self._entries.values())

    def add(self, entry: Entry, details: Mapping[str, Any] | None = None) -> None:
        """Write an entry; it is on disk when this returns.

        Parameters
        ----------
        details : written beside the entry and not kept in memory, as the whole assessment

        Raises NotSaved, and then the series counts as not graded.
        """
        record = {"entry": entry.to_dict()}
        self._lines.append({**record, **(details or {})})
        self._keep(entry)

    def reported(self, content: str, reason: str = "") -> None:
        """Note that a series' report is on disk, or the reason why there will be none."""
        self._lines.append({"reported": content, **({"reason": reason} if reason else {})})
        self._reported[content] = not reason

    @property
    def unreported(self) -> list[Entry]:
        """Graded entries whose report is still to be written, oldest first."""
        return [e for e in self._entries.values() if e.report and e.content not in self._reported]

    def sent(self, content: str, to: str) -> None:
        """Note that a series' report was taken by ``to``."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self._lines.append({"sent": content, "to": to, "time": now})
        self._sent.add((content, to))

    def unsent(self, to: str) -> list[Entry]:
        """Graded entries with a written report that ``to`` has not taken yet, oldest first."""
        return [
            entry
            for entry in self._entries.values()
            if entry.report
            and self._reported.get(entry.content)
            and (entry.content, to) not in self._sent
        ]

    def records(self) -> Iterator[dict[str, Any]]:
        """All that was written about series, line by line, oldest first."""
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield from _parsed(line)

    def beat(self) -> None:
        """Tell other machines that this process lives; call it every minute."""
        self._lines.beat()

    def close(self) -> None:
        self._lines.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parsed(line: bytes) -> Iterator[dict[str, Any]]:
    import json

    try:
        record = json.loads(line)
    except ValueError:
        return
    if isinstance(record, dict) and "entry" in record:
        yield record
