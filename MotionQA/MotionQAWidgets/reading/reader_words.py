"""What the reading frame and the badge say while a reader scores."""

from __future__ import annotations

from slicer.i18n import tr as _

from MotionQALib.reading.reader_scoring import ReaderScoring

from . import phrases
from .case_names import CaseNames
from .case_view import Words
from .network_grade import NetworkGrade
from .shown_case import ShownCase


class ReaderWords:
    """Of the reader's own scores, and of the network's where they may be known.

    Attributes
    ----------
    saved_elsewhere : the file that keeps what the study lacks; "" where there is none
    """

    def __init__(
        self, scoring: ReaderScoring, names: CaseNames, shown: ShownCase, network: NetworkGrade
    ) -> None:
        self.saved_elsewhere = ""
        self._scoring, self._names = scoring, names
        self._shown, self._network = shown, network

    def status(self) -> tuple[str, str]:
        """Whether the score is saved, in words and in a colour."""
        scoring = self._scoring
        if scoring.unsaved:
            count = len(scoring.unsaved)
            return phrases.not_saved(scoring.problem, count, self.saved_elsewhere), phrases.BAD
        if scoring.problem:
            return scoring.problem, phrases.BAD
        entry = scoring.given or scoring.last
        if entry is None:
            return "", phrases.GOOD
        self.saved_elsewhere = ""
        where = "" if scoring.given else self._names.of_item(entry.key)
        return phrases.saved(entry, where), phrases.GOOD

    def badge(self, index: int | None) -> Words:
        """What stands over a slice; None in a view that is not parallel to the slices."""
        scoring = self._scoring
        if scoring.reading is None:
            return None
        items = scoring.readings[scoring.reading]
        if not scoring.per_slice:
            item = items[0]
        elif index is not None and index < len(items):
            item = items[index]
        else:
            return None
        entry = scoring.entries.get(item.key)
        if entry is None:
            return None
        lines = [phrases.entry(entry)]
        if item.key in scoring.unsaved:
            lines.append(_("not saved"))
        network = self._network.words(scoring.session, item, self._shown.node)
        if network:
            lines.append(_("network {grade}").format(grade=network))
        return "\n".join(lines), phrases.grade_of_entry(entry)
