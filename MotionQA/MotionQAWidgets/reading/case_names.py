"""What the reader may call a case: its number, and its name where the study is not blinded."""

from __future__ import annotations

from slicer.i18n import tr as _

from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.score_entry import ItemKey


class CaseNames:
    """Of the cases in a reader's worklist."""

    def __init__(self, scoring: ReaderScoring) -> None:
        self._scoring = scoring

    def of_reading(self, reading: int) -> str:
        item = self._scoring.readings[reading][0]
        if item.name is None:
            return _("Case {number}").format(number=item.number)
        return _("{number} · {name}").format(number=item.number, name=item.name)

    def of_case(self, case: str) -> str:
        """By its key: where it stands first in the list."""
        first = self._scoring.session.worklist.keys_of(case)
        if not first:
            return _("not in the list")
        return self.of_reading(self._number(first[0]))

    def of_item(self, key: ItemKey) -> str:
        """With its slice, if that is what is scored."""
        number = self._number(key)
        name = self.of_case(key.case) if number is None else self.of_reading(number)
        if key.slice is None:
            return name
        return _("{case}, slice {slice}").format(case=name, slice=key.slice)

    def _number(self, key: ItemKey) -> int | None:
        """Which reading of the list an item belongs to."""
        worklist = self._scoring.session.worklist
        index = worklist.index_of(key)
        return None if index is None else worklist.items[index].number - 1
