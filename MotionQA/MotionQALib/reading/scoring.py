"""What the keys, the score buttons and the heartbeat work with, whoever gives the scores.

`ReaderScoring` is a reader's, `Adjudication` an adjudicator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..signals import Signal
from .score_entry import ItemKey, ScoreEntry
from .unsaved_scores import UnsavedScores


class Scoring(Protocol):
    """Gives scores to items, one after the other; none is lost.

    Signals
    -------
    changed() : another item, another score, or another problem

    Attributes
    ----------
    needs_image : whether a score is only for what is in view
    takes_details : whether confidence, artefacts and comment may go with a score
    unsaved : scores that are not on disk, by item; they stay until they are
    problem : why, or what else is wrong, in a sentence; "" where nothing is
    given : what stands of the current item, saved or not
    """

    changed: Signal
    needs_image: bool
    takes_details: bool

    _unsaved: UnsavedScores

    @property
    def unsaved(self) -> Mapping[ItemKey, ScoreEntry]:
        return self._unsaved.entries

    @property
    def problem(self) -> str:
        return self._unsaved.problem

    @property
    def given(self) -> ScoreEntry | None: ...

    def give(self, score: int, **details) -> None:
        """Score the current item; details are further fields of `ScoreEntry`."""

    def undo(self) -> None:
        """Take the last score back and turn to its item."""

    def next(self) -> bool:
        """On to the next item that waits for a score; False if none does."""

    def follow(self) -> bool:
        """On to what comes by itself a moment after a score; whether there was such."""

    def retry(self) -> bool:
        """Try to save what is not saved; whether all is."""

    def beat(self) -> None:
        """Tell other machines that this session lives; call it once a minute."""
        if self._unsaved.beat():
            self.changed.emit()

    def close(self) -> None:
        """Let other sessions write; may be called twice."""
