"""The network's grade of the case that is read: asked for, shown, or kept back."""

from __future__ import annotations

from collections.abc import Iterable

from slicer.i18n import tr as _

from MotionQALib.checkpoints import STARTER
from MotionQALib.reading.network_grades import NetworkGrades
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.worklist import Item
from MotionQALib.scale import grade_of
from MotionQALib.signals import Signal
from MotionQALib.volumes import VolumeError

from .. import dependencies
from ..grading import Grading
from ..wording import grade_name, in_words
from . import phrases


class NetworkGrade:
    """What the network says of cases: in the scene's results, or in a file with the study.

    Signals
    -------
    changed()

    Attributes
    ----------
    checkpoint : that grades, by name or file
    known : of the study's cases, from its file
    """

    def __init__(self, grading: Grading) -> None:
        self.changed = Signal()
        self.checkpoint = STARTER
        self.known = NetworkGrades()
        self._grading = grading
        grading.results.changed.connect(self.changed.emit)
        grading.failed.connect(self._on_failed)
        self._problem = ""

    def dispose(self) -> None:
        self.withhold(())
        self._grading.results.changed.disconnect(self.changed.emit)
        self._grading.failed.disconnect(self._on_failed)
        self.changed.disconnect()

    def withhold(self, volume_ids: Iterable[str]) -> None:
        """Hide these volumes' grades in all of MotionQA's panels."""
        self._grading.results.withhold(volume_ids)

    def ask(self, node) -> str | None:
        """Grade a volume; the answer comes by `changed`. A sentence where it cannot be asked."""
        lacking = dependencies.missing()
        problem = dependencies.ensure() if lacking else None
        if problem is None and node is not None:
            self._problem = ""
            try:
                self._grading.assess(node, self.checkpoint)
            except VolumeError as error:
                return str(error)
            self.changed.emit()
        return problem

    def words(self, session: ReadingSession, item: Item, node) -> str:
        """Such as "3 · moderate 71 %"; "" where it is not known, or must not be."""
        if not session.may_see_network(item):
            return ""
        result = self._grading.results.result_for(node)
        if result is not None:
            index = item.key.slice
            frame = None if index is None else int(result.assessment.worst_frames[index])
            row = result.row_for(frame, index)
            return "" if row is None else in_words(row)
        score = self.known.score_of(item.key)
        if score is None:
            return ""
        text = _("{score} · {grade}")
        return text.format(score=score, grade=grade_name(grade_of(score)))

    def sentence(self, scoring: ReaderScoring, node) -> tuple[str, bool]:
        """What to say beside the reader's own score, and whether the network can be asked."""
        item, given = scoring.item, scoring.given
        if not scoring.session.may_see_network(item):
            return _("The network's grade is hidden."), False
        words = self.words(scoring.session, item, node)
        if words and given is not None:
            text = _("You: {mine}. Network: {network}.")
            return text.format(mine=phrases.entry(given), network=words), False
        if words:
            return _("Network: {network}.").format(network=words), False
        if node is not None and node in self._grading.running:
            return _("The network is grading …"), False
        return self._problem or _("The network has not graded this case."), node is not None

    def _on_failed(self, node, sentence: str, _missing) -> None:
        self._problem = sentence
        self.changed.emit()
