"""Series in, grades out: what `motionqa watch` and `motionqa listen` run."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from ..reading.reading_errors import NotSaved
from ..reading.session_lock import BEAT
from ..results import Assessment
from .arrival_entry import Entry, Status
from .arrival_results import ArrivalResults, Graded
from .arrivals import Arrivals
from .arriving_series import ArrivingSeries
from .attempts import OFTEN, TOO_OFTEN
from .image_facts import ImageFacts
from .outbox import Outbox
from .owed_reports import OwedReports, ReportAgain, without_path
from .repetition import with_repeated
from .slow_calls import StillWaiting

Select = Literal["short-axis", "cine", "all"]

RETRY = 10.0
"""Seconds until results that could not be written are written again."""

LARGEST = 8 * 10**9
"""Bytes of a series' pixels, unpacked: a few kilobytes may claim to be more than any memory."""

REMEMBERED = 1800.0
"""Seconds that a series' headers stay in memory after it was dealt with."""


class ArrivalService:
    """Grades each complete series once.

    Parameters
    ----------
    arrivals : what is arriving
    results : where results go, and what is known from before
    grade : reads and grades one series; raises ValueError or RuntimeError, a sentence, if not, and
        StillWaiting while its files do not answer
    report_again : gives what writes the report of a series that was graded before a restart
    select : which series are graded; the others are listed with the reason
    say : called with a sentence about each series and each failure
    recall : images that were there before, of a series that grows after it was forgotten
    outbox, recipient : where reports are sent from, if they are, and where to
    release : called with a series' UID ``keep`` seconds after it was dealt with, or was said to be
        incomplete, unless it grew; where it returns False, again later
    """

    def __init__(
        self,
        arrivals: Arrivals,
        results: ArrivalResults,
        grade: Callable[[ArrivingSeries], Graded],
        *,
        select: Select = "short-axis",
        say: Callable[[str], None] = print,
        recall: Callable[[ImageFacts], Iterable[ImageFacts]] = lambda image: (),
        outbox: Outbox | None = None,
        recipient: str = "",
        release: Callable[[str], bool | None] | None = None,
        keep: float = 24 * 3600.0,
        report_again: ReportAgain = lambda series, assessment: None,
    ) -> None:
        self._arrivals, self._results, self._grade = arrivals, results, grade
        self._select, self._say, self._recall = select, say, recall
        self._inbox: queue.Queue[ImageFacts] = queue.Queue()
        self._unwritten: list[tuple[float, Entry, Graded | None]] = []
        self._reports = OwedReports(
            results, say, self.trouble, report_again, outbox=outbox, recipient=recipient
        )
        self._finished: dict[str, float] = {}
        self._release, self._keep = release, keep
        self._kept: dict[str, float] = {}
        self._beaten = self._dealt = time.monotonic()
        self._unread: dict[str, ArrivingSeries] = {}  # whose files do not answer yet
        self._late: set[str] = set()  # those of them that are said

    def take(self, image: ImageFacts) -> None:
        """An image has arrived and is on disk; from any thread."""
        self._inbox.put(image)

    def step(self) -> int:
        """Deal with all that is due; returns with how many series."""
        self._drain()
        done = 0
        # What was being graded when the program ended twice may be why: others come first.
        for series in sorted(self._arrivals.due(), key=lambda one: self._attempts(one) >= OFTEN):
            self._unread.pop(series.uid, None)  # it has grown
            done += self._take_up(series)
            self._drain()
        for series in list(self._unread.values()):
            done += self._take_up(series)
        self._tell_unread()
        for series, missing in self._arrivals.overdue():
            self._incomplete(series, missing)
            self._kept[series.uid] = time.monotonic()
            done += 1
        self._write_again()
        self._reports.write_one(self._arrivals.wait())
        self._reports.note_sent()
        self._forget()
        self._beat()
        return done

    def trouble(self, kind: str, sentence: str, over: str = "") -> None:
        """Say and show what keeps series from being graded; where it is empty, that it is over."""
        if self._results.trouble(kind, sentence):
            self._say(sentence or over)

    @property
    def seconds_without(self) -> float:
        """Seconds since a series was dealt with."""
        return time.monotonic() - self._dealt

    @property
    def idle(self) -> bool:
        """Whether no series is unfinished, no result or report unwritten and none unsent."""
        waiting = self._arrivals.wait() is not None or not self._inbox.empty()
        return not (waiting or self._unread or self._unwritten) and self._reports.idle

    def wait(self, longest: float = 0.2) -> None:
        """Sleep until something may be due; an image that arrives ends it."""
        due = self._arrivals.wait()
        seconds = longest if due is None else min(longest, max(due, 0.001))
        try:
            image = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return
        self._add(image)

    def _drain(self) -> None:
        while True:
            try:
                image = self._inbox.get_nowait()
            except queue.Empty:
                return
            self._add(image)

    def _add(self, image: ImageFacts) -> None:
        if self._arrivals.get(image.series) is None and self._results.ledger.has(image.series):
            for other in self._recall(image):
                self._arrivals.add(other)
        if self._arrivals.add(image):
            self._kept.pop(image.series, None)

    def _take_up(self, series: ArrivingSeries) -> int:
        """Deal with a series that is due, if it can be read; whether it was."""
        known = self._results.ledger.knows(series.content) and not self._refused(series)
        try:
            if known:
                self._reports.make_up_for(series)
            else:
                self._deal_with(series)
        except StillWaiting as waiting:
            self._unread[series.uid] = series
            self._late |= {series.uid} if waiting.late else set()
            return 0
        self._unread.pop(series.uid, None)
        self._finished[series.uid] = self._kept[series.uid] = self._dealt = time.monotonic()
        return 0 if known else 1

    def _refused(self, series: ArrivingSeries, reason: str | None = None) -> bool:
        """Whether these images were refused last, for that reason: a file may be whole by now."""
        last = self._results.ledger.latest(series.uid)
        if last is None or (last.content, last.status) != (series.content, "refused"):
            return False
        return reason in (None, last.reason)

    def _tell_unread(self) -> None:
        self._late &= self._unread.keys()
        count = len(self._late)
        many = f"{count} series have" if count > 1 else "A series has"
        sentence = (
            f"{many} arrived and cannot be read yet: the drive or share is slow, or hangs. Others "
            "are graded meanwhile."
        )
        self.trouble("reading", sentence if count else "", "All that arrived can be read again.")

    def _deal_with(self, series: ArrivingSeries) -> None:
        start = time.monotonic()
        reason = self._why_not(series)
        if reason:
            self._record(self._entry(series, "skipped", reason=reason), None)
            return
        if series.size > LARGEST:
            size = f"{series.size / 1e9:.0f} GB"
            self._refuse(series, f"Its images unpack to {size}, more than is graded.")
            return
        if self._attempts(series) >= TOO_OFTEN:
            text = f"The program ended {TOO_OFTEN} times while it was graded; it is given up."
            self._refuse(series, text)
            return
        try:
            with self._results.attempts.begun(series.content):
                graded = self._grade(series)
        except (ValueError, RuntimeError, MemoryError, OSError) as error:
            sentence = str(error).strip() or "Memory ran out."
            self._refuse(series, sentence)
            return
        entry = self._entry(
            series,
            "graded",
            assessment=graded.assessment,
            seconds=round(time.monotonic() - start, 3),
        )
        self._record(with_repeated(entry, self._results.ledger.entries), graded)

    def _attempts(self, series: ArrivingSeries) -> int:
        return self._results.attempts.count(series.content)

    def _refuse(self, series: ArrivingSeries, reason: str) -> None:
        if not self._refused(series, reason):
            self._record(self._entry(series, "refused", reason=reason), None)

    def _incomplete(self, series: ArrivingSeries, missing: str) -> None:
        known = self._results.ledger.latest(series.uid)
        if known and (known.content, known.status) == (series.content, "incomplete"):
            return  # said before a restart
        if self._why_not(series) is None:
            self._record(self._entry(series, "incomplete", reason=missing), None)

    def _why_not(self, series: ArrivingSeries) -> str | None:
        if self._select == "all":
            return None
        reason = series.why_not_short_axis_cine()
        if self._select == "cine" and reason and not reason.startswith("It is no cine"):
            return None
        return reason

    @staticmethod
    def _entry(
        series: ArrivingSeries, status: Status, *, assessment: Assessment | None = None, **more
    ) -> Entry:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return Entry.of(series, now, status, assessment=assessment, **more)

    def _record(self, entry: Entry, graded: Graded | None) -> None:
        try:
            entry = self._results.add(entry, graded)
        except (NotSaved, OSError) as error:
            if not any(held.content == entry.content for _, held, _ in self._unwritten):
                self._say(f"{without_path(error)} It is tried again every {RETRY:g} s.")
            self._unwritten.append((time.monotonic() + RETRY, entry, graded))
            return
        self._say(sentence_of(entry))
        if graded is not None and graded.write_report is not None:
            self._reports.owe(entry, graded.write_report)

    def _write_again(self) -> None:
        now = time.monotonic()
        due = [held for held in self._unwritten if held[0] <= now]
        self._unwritten = [held for held in self._unwritten if held[0] > now]
        for _, entry, graded in due:
            self._record(entry, graded)

    def _forget(self) -> None:
        """Let go of what is dealt with: memory must not grow with the days."""
        now = time.monotonic()
        for uid in [uid for uid, end in self._finished.items() if now - end > REMEMBERED]:
            del self._finished[uid]
            series = self._arrivals.get(uid)
            if series is not None and self._results.ledger.knows(series.content):
                self._arrivals.forget(uid)
        unwritten = {entry.series for _, entry, _ in self._unwritten}
        old = [uid for uid, end in self._kept.items() if now - end > self._keep]
        for uid in set(old) - unwritten:
            if self._release and self._release(uid) is False:
                continue  # an image of it is arriving
            del self._kept[uid]
            self._arrivals.forget(uid)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten > BEAT:
            self._beaten = time.monotonic()
            try:
                self._results.ledger.beat()
            except NotSaved as error:
                self._say(str(error))


def sentence_of(entry: Entry) -> str:
    """What a person at the scanner wants to know of a series."""
    name = f"Series {entry.number}" if entry.number is not None else "A series"
    if entry.description:
        name += f" ({entry.description})"
    if entry.status != "graded":
        words = {"skipped": "is not graded", "refused": "cannot be graded", "incomplete": "waits"}
        return f"{name} {words[entry.status]}: {entry.reason}"
    text = f"{name}: {entry.grade} motion, score {entry.score} of 5."
    if entry.again:
        many = "s" if len(entry.again) > 1 else ""
        text += f" Acquire again: slice{many} {', '.join(map(str, sorted(entry.again)))}."
    for repeated in entry.repeated:
        of = "" if repeated.number is None else f" (of series {repeated.number})"
        text += f" Acquired again{of}: {repeated.sentence}."
    return text
