"""One line of a reader's log; its schema is Resources/MotionQA-score-log.schema.json."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ..scale import SCORES, Grade, grade_of

VERSION = 1

ARTEFACTS = (
    "ghosting",
    "blur",
    "mistriggering",
    "flow",
    "banding",
    "wrap",
    "low_signal",
    "other",
)
"""Kinds of artefact that a reader may name; ghosting is the respiratory one."""

CONFIDENCES = (1, 2, 3)
"""1 guessed, 2 fairly sure, 3 sure."""

LONGEST = 1e7
"""Seconds of reading that are no mistake yet: a third of a year."""

LABELS = tuple(grade.label for grade in Grade)


class ItemKey(NamedTuple):
    """What a score is of: a case, one of its slices or all (None), its nth reading from 0."""

    case: str
    slice: int | None = None
    repeat: int = 0


@dataclass(frozen=True)
class ScoreEntry:
    """What a reader said of one item; a later entry of the same item replaces it.

    Parameters
    ----------
    score : 5 excellent to 1 non-diagnostic; None where only a grade is known, or nothing any more
    grade : "mild", "moderate" or "severe"; the score's where there is one
    confidence : one of `CONFIDENCES`, or None
    artefacts : some of `ARTEFACTS`
    seconds : of active reading, or None where nobody measured
    time : ISO 8601, UTC
    undo : it brings back what stood here before the reader's last score
    adjudicator : who settled it, in the consensus
    after : how many entries the log had when it was given; only where it could not be saved there
    """

    key: ItemKey
    reader: str
    score: int | None = None
    grade: str | None = None
    confidence: int | None = None
    artefacts: tuple[str, ...] = ()
    comment: str = ""
    seconds: float | None = None
    time: str = ""
    undo: bool = False
    adjudicator: str | None = None
    after: int | None = None

    def __post_init__(self) -> None:
        if self.grade is not None:
            _one_of(self.grade, LABELS)
        if self.score is not None:
            object.__setattr__(self, "grade", grade_of(_one_of(self.score, SCORES)).label)
        if self.confidence is not None:
            _one_of(self.confidence, CONFIDENCES)
        for kind in self.artefacts:
            _one_of(kind, ARTEFACTS)
        if self.seconds is not None and not 0 <= self.seconds <= LONGEST:
            raise ValueError(f"{_shown(self.seconds)} are no seconds of reading.")
        if not self.time:
            object.__setattr__(self, "time", now())

    @property
    def scored(self) -> bool:
        return self.grade is not None

    def again(self, *, reader: str) -> ScoreEntry:
        """The same content, said once more as an undo."""
        return replace(self, reader=reader, time="", undo=True)

    def to_record(self) -> dict[str, Any]:
        """The line, in the schema's order; what is optional and empty is left out."""
        record = {
            "version": VERSION,
            "time": self.time,
            "reader": self.reader,
            **self.key._asdict(),
            "score": self.score,
            "grade": self.grade,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "confidence": self.confidence,
            "artefacts": list(self.artefacts),
            "comment": self.comment,
            "undo": self.undo,
            "adjudicator": self.adjudicator,
        }
        optional = ("confidence", "artefacts", "comment", "undo", "adjudicator")
        kept = {key: value for key, value in record.items() if value or key not in optional}
        return kept if self.after is None else {**kept, "after": self.after}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ScoreEntry:
        """Rebuild from a line; ValueError says what the schema does not allow."""
        version = record.get("version")
        if version != VERSION or version is True:
            raise ValueError(
                f"it is of version {_shown(version)}, and this MotionQA knows {VERSION}"
            )
        take = _Taking(record)
        key = ItemKey(take("case", str), take("slice", int, None), take("repeat", int, 0))
        numbers = (key.slice or 0, key.repeat, record.get("after") or 0)
        if not key.case or not all(number in _COUNTS for number in numbers):
            raise ValueError(f"{_shown(tuple(key))} is no item of a study")
        artefacts = take("artefacts", list, [])
        return cls(
            key=key,
            reader=take("reader", str),
            score=take("score", int, None),
            grade=take("grade", str, None),
            confidence=take("confidence", int, None),
            artefacts=tuple(artefacts),
            comment=take("comment", str, ""),
            seconds=take("seconds", (int, float), None),
            time=take("time", str),
            undo=take("undo", bool, False),
            adjudicator=take("adjudicator", str, None),
            after=take("after", int, None),
        )


def now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


_REQUIRED = object()
_COUNTS = range(1_000_000)
"""What slices, readings and lines can be numbered by."""


def _shown(value: object) -> str:
    """A value in a sentence: an absurd one may fill pages."""
    return reprlib.repr(value)


class _Taking:
    """Values of a record, their types checked."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record

    def __call__(self, name: str, kind: type | tuple[type, ...], default: Any = _REQUIRED) -> Any:
        value = self._record.get(name, default)
        if value is default and default is not _REQUIRED:
            return value
        if value is _REQUIRED:
            raise ValueError(f"it has no {name}")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"its {name} is {_shown(value)}")
        return value


def _one_of(value: Any, allowed: tuple) -> Any:
    if value not in allowed or isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is none of {', '.join(map(str, allowed))}")
    return value
