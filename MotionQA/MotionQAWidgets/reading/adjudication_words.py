"""What the reading frame and the badge say while an adjudicator settles cases."""

from __future__ import annotations

from slicer.i18n import tr as _

from MotionQALib.reading.adjudication import Adjudication

from . import phrases
from .case_view import Words


class AdjudicationWords:
    """Of what was settled: the adjudicator's own scores are only some among the readers'."""

    def __init__(self, adjudication: Adjudication) -> None:
        self._adjudication = adjudication

    def status(self) -> tuple[str, str]:
        return _("You are adjudicating: keys and buttons settle the case."), phrases.GOOD

    def badge(self, _index: int | None) -> Words:
        given = self._adjudication.given
        return None if given is None else (phrases.entry(given), phrases.grade_of_entry(given))
