"""One reader at work: what the labelling panel drives.

with ReadingSession(Study.open(folder), "anna") as session:
    session.reports                     # sentences about damage found, to be shown
    item = session.go(0)                # starts the clock
    session.file_of(item)               # to be loaded; None: missing, session.cases.add finds it
    session.is_replaced(item)           # then it must not be shown: another image lies there
    session.clock.touch()               # at each input of the reader
    session.log.save(item.key, 4, seconds=session.clock.seconds)  # on disk, else NotSaved
    session.undo()                      # the index of the item taken back, or None
    session.may_see_network(item)       # may its grade be shown now?
    session.may_see_others              # may other readers' scores? `StudyScores` asks
    session.blinding                    # what the reader may be told of images
    session.beat()                      # once a minute, from a timer
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .blinding import Blinding, Remark
from .case_list import CaseList
from .durable_lines import DurableLines, read_lines
from .export_names import export_names
from .reading_clock import ReadingClock
from .score_entry import now
from .scores import ScoreLog, file_name
from .study import Study
from .worklist import Item, Worklist


class ReadingSession:
    """A reader's study, list, log and clock; see the top of this file.

    ``unreadable`` are the keys of cases that the reader turned to and that could not be shown. As
    long as they cannot, nobody waits for their scores: else a lost file would keep the reading
    from ever being finished.

    Raises ReadingError if the study cannot be read, InUse if the reader has it open elsewhere,
    NotSaved if nothing could be saved.
    """

    def __init__(
        self, study: Study, reader: str, uncertainties: Mapping[str, float] | None = None
    ) -> None:
        self.study = study
        self.reader = reader
        self.cases = CaseList(study)
        self.clock = ReadingClock(study.idle_after)
        self.index: int | None = None
        self.unreadable: set[str] = set()
        self._uncertainties = dict(uncertainties or {})
        self.log = ScoreLog.open(study, reader)
        try:
            self._unblinded = self._reads_unblinded()
        except BaseException:
            self.log.close()
            raise
        self.rebuild()
        self.reports: list[Remark] = [*self.cases.reports, *self.log.reports, *self._replaced()]

    def rebuild(self, uncertainties: Mapping[str, float] | None = None) -> None:
        """Order the list anew, as after cases were added; the current item stays the current.

        Cases that could not be read may be there now.
        """
        self.unreadable.clear()
        if uncertainties is not None:
            self._uncertainties = dict(uncertainties)
        current = self.item
        self.worklist = Worklist(self.study, self.cases.cases, self._uncertainties)
        self.index = None if current is None else self.worklist.index_of(current.key)

    # Where the reader is

    @property
    def item(self) -> Item | None:
        return None if self.index is None else self.worklist.items[self.index]

    def go(self, index: int) -> Item:
        """Show an item. Raises IndexError outside of the list."""
        if not 0 <= index < len(self.worklist):
            raise IndexError(index)
        self.index = index
        self.clock.start()
        return self.worklist.items[index]

    def undo(self) -> int | None:
        """Take the last score back: the index of its item, None if there was none."""
        key = self.log.undo()
        return None if key is None else self.worklist.index_of(key)

    # What the reader may know

    def file_of(self, item: Item) -> Path | None:
        return self.cases.file_of(item.case)

    def is_replaced(self, item: Item) -> bool:
        """Whether another image lies now where the item's was."""
        return self.cases.is_replaced(item.case)

    @property
    def finished(self) -> bool:
        return self.worklist.finished(self.log.entries, self.unreadable)

    def may_see_network(self, item: Item) -> bool:
        """Whether the network's grade may be shown beside an item.

        Where the study is blind to it, only when the whole case is scored, since one slice's grade
        would tell the next. Where cases come back, only when all is read: it would tell the second
        reading, and to hide it from those cases alone would tell which they are.
        """
        if not self.study.blind_to_network:
            return True
        if self.study.repeats:
            return self.finished
        return all(key in self.log.entries for key in self.worklist.keys_of(item.case.key))

    @property
    def may_see_others(self) -> bool:
        """Whether other readers' scores may be shown: when this reader has finished."""
        return self.finished

    @property
    def blinding(self) -> Blinding:
        """What the reader may be told of images."""
        numbers: dict[str, int] = {}
        for reading in self.worklist.readings:
            numbers.setdefault(reading[0].case.key, reading[0].number)
        return Blinding(self.study.blinded, numbers, lambda: export_names(self.cases))

    @property
    def unblinded(self) -> bool:
        """Whether this reader has seen others' scores to adjudicate: none of his or her own could
        be independent any more. Known from the session's beginning: no score waits for a disk."""
        return self._unblinded

    def _reads_unblinded(self) -> bool:
        lines = read_lines(self.study.unblinded_file)
        return file_name(self.reader) in {record.get("reader") for _, record in lines.records}

    def unblind(self) -> None:
        """Note that the reader sees others' scores from now on. NotSaved if that cannot be kept."""
        if not self.unblinded:
            what = f"The readers who adjudicate in {self.study.folder.name}"
            with DurableLines.create(self.study.unblinded_file, what) as lines:
                lines.append({"reader": file_name(self.reader), "time": now()})
            self._unblinded = True

    def _replaced(self) -> list[Remark]:
        """That other images lie where scored ones were."""
        gone = [c for c in self.cases.cases if c.key in self.cases.replaced]
        numbers = {case.key: self.blinding.name_of(case.key) for case in gone}
        text = "The image of {} was replaced by another: its scores are kept, but not exported."
        return [
            Remark(text.format(case.name), blinded=text.format(numbers[case.key]))
            for case in gone
            if any(key in self.log.entries for key in self.worklist.keys_of(case.key))
        ]

    def beat(self) -> None:
        """Tell other machines that this session lives; NotSaved if it was taken over."""
        self.log.beat()

    def close(self) -> None:
        self.log.close()

    def __enter__(self) -> ReadingSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
