"""DICOM reports of graded series: they take longest, come after the grades, and none is lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..reading.reading_errors import NotSaved
from ..results import Assessment
from .arrival_entry import Entry
from .arrival_results import ArrivalResults
from .arriving_series import ArrivingSeries
from .outbox import Outbox
from .slow_calls import StillWaiting

ReportWriter = Callable[[Path], None]

ReportAgain = Callable[[ArrivingSeries, Assessment], ReportWriter | None]

RETRY = 10.0
"""Seconds until a report that could not be written is written again."""

SOON = 2.0
"""Seconds: no report is begun when a series is due within them, as writing takes about one."""

PUT_OFF = 10.0
"""Seconds that a report waits for series, at the most."""


@dataclass(frozen=True)
class _Owed:
    """A report to be written, not before ``due``; times of the monotonic clock."""

    entry: Entry
    write: ReportWriter
    since: float = field(default_factory=time.monotonic)
    due: float = 0.0


class OwedReports:
    """Writes reports into the results and hands them to the outbox.

    Parameters
    ----------
    results : where reports go, and which of them were written and sent before
    say : called with a sentence about each failure
    trouble : called with a kind, a sentence and what is said once it is over; the sentence is empty
        then
    again : gives what writes the report of a series that was graded before a restart
    outbox, recipient : where reports are sent from, if they are, and where to
    """

    def __init__(
        self,
        results: ArrivalResults,
        say: Callable[[str], None],
        trouble: Callable[[str, str, str], None],
        again: ReportAgain,
        *,
        outbox: Outbox | None = None,
        recipient: str = "",
    ) -> None:
        self._results, self._say, self._trouble, self._again = results, say, trouble, again
        self._outbox, self._recipient = outbox, recipient
        self._owed: deque[_Owed] = deque()
        if outbox:
            for entry in results.ledger.unsent(recipient):
                outbox.offer(entry.content, results.report_path(entry.report))

    @property
    def idle(self) -> bool:
        """Whether none is unwritten or unsent."""
        sending = self._outbox and self._results.ledger.unsent(self._recipient)
        return not (self._owed or sending)

    def owe(self, entry: Entry, write: ReportWriter) -> None:
        """The report of this entry is to be written."""
        self._owed.append(_Owed(entry, write))

    def make_up_for(self, series: ArrivingSeries) -> None:
        """Owe the report of a graded series again that the program ended before."""
        if any(owed.entry.content == series.content for owed in self._owed):
            return
        for entry in self._results.ledger.unreported:
            if entry.content == series.content:
                assessment = self._results.assessment_of(series.content)
                write = assessment and self._again(series, assessment)
                if write:
                    self.owe(entry, write)

    def write_one(self, wait: float | None) -> None:
        """Write one of those that are owed, unless a series is due soon.

        Parameters
        ----------
        wait : seconds until a series is due; None where none is
        """
        if not self._owed:
            return
        owed, now = self._owed[0], time.monotonic()
        if now < owed.due or (wait is not None and wait < SOON and now - owed.since < PUT_OFF):
            return
        self._owed.popleft()
        try:
            self._results.write_report(owed.entry, owed.write)
        except StillWaiting:
            self._owed.append(replace(owed, due=now + RETRY))
            text = "A DICOM report waits: its series cannot be read, the drive or share hangs."
            self._trouble("report", text, "")
        except (NotSaved, OSError) as error:
            if not owed.due:
                again = f"A DICOM report is tried again every {RETRY:g} s."
                self._say(f"{without_path(error)} {again}")
            self._owed.append(replace(owed, due=now + RETRY))
        except (ValueError, RuntimeError) as error:
            self._say(f"No DICOM report is written of a series: {error}")
        else:
            self._trouble("report", "", "A DICOM report that waited is written.")
            if self._outbox:
                path = self._results.report_path(owed.entry.report)
                self._outbox.offer(owed.entry.content, path)

    def note_sent(self) -> None:
        """Note which the recipient has taken."""
        for content in self._outbox.taken() if self._outbox else ():
            try:
                self._results.ledger.sent(content, self._recipient)
            except NotSaved as error:  # it is sent once more after a restart, under the same UID
                self._say(str(error))


def without_path(error: Exception) -> str:
    """Why results could not be written, without the path that the system adds."""
    if isinstance(error, OSError):
        return f"Results could not be written ({error.strerror})."
    return str(error)
