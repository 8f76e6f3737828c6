"""What became of one series: a line of the list that people see, and of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from ..results import Assessment
from ..scale import Grade, grade_of
from .arriving_series import ArrivingSeries

Status = Literal["graded", "skipped", "refused", "incomplete"]


@dataclass(frozen=True)
class Repeated:
    """Slices of an earlier series that this one acquired again.

    Attributes
    ----------
    series, number : UID and number of the earlier series
    slices : pairs (slice of the earlier series, slice of this one), both from 0
    before, after : their scores
    """

    series: str
    number: int | None
    slices: tuple[tuple[int, int], ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def sentence(self) -> str:
        """For people: "slices 5, 6: 2 → 5; slice 7: 3 → 3"."""
        groups: dict[tuple[int, int], list[int]] = {}
        for (old, _), change in zip(
            self.slices, zip(self.before, self.after, strict=True), strict=True
        ):
            groups.setdefault(change, []).append(old)
        return "; ".join(
            f"slice{'s' if len(numbers) > 1 else ''} {', '.join(map(str, sorted(numbers)))}: "
            f"{before} → {after}"
            for (before, after), numbers in groups.items()
        )


@dataclass(frozen=True)
class Entry:
    """One series and its grade, or why it has none.

    Attributes
    ----------
    series, study, content : UIDs, and the key of exactly these images (`ArrivingSeries.content`)
    time : ISO 8601, of the grading
    status : graded; skipped, as it is not what was asked for; refused, as it cannot be graded;
        incomplete, as images are missing
    number, description, images, phases : of the series
    reason : a sentence, for all but graded ones
    score, grade, expected, uncertain : of the volume
    scores : of each slice in its worst phase; 0 for one that is blank or missing
    doubts : slices whose score is uncertain
    places, normals : mm in the patient, a slice each; None where not known
    seconds : from the end of the quiet time to the grade
    report : name of the DICOM report among those written, if one was
    repeated : what it acquired again
    """

    series: str
    study: str
    content: str
    time: str
    status: Status
    number: int | None = None
    description: str = ""
    images: int = 0
    phases: int = 0
    reason: str = ""
    score: int | None = None
    grade: str = ""
    expected: float | None = None
    uncertain: bool = False
    scores: tuple[int, ...] = ()
    doubts: tuple[int, ...] = ()
    places: tuple[tuple[float, float, float] | None, ...] = ()
    normals: tuple[tuple[float, float, float] | None, ...] = ()
    seconds: float | None = None
    report: str | None = None
    repeated: tuple[Repeated, ...] = field(default=())

    @classmethod
    def of(
        cls,
        series: ArrivingSeries,
        time: str,
        status: Status,
        *,
        reason: str = "",
        assessment: Assessment | None = None,
        **more: Any,
    ) -> Entry:
        """Describe a series, with its assessment where it was graded."""
        first, places = series.first, series.places()
        entry = cls(
            series=series.uid,
            study=first.study,
            content=series.content,
            time=time,
            status=status,
            number=first.number,
            description=first.description,
            images=len(series.images),
            phases=max(map(len, series.stack())),
            reason=reason,
            places=tuple(place.place for place in places),
            normals=tuple(place.normal for place in places),
            **more,
        )
        return entry if assessment is None else entry.with_grades(assessment)

    def with_grades(self, assessment: Assessment) -> Entry:
        """The same with an assessment's grades."""
        worst = list(zip(assessment.worst_frames.tolist(), range(assessment.n_slices), strict=True))
        return replace(
            self,
            score=assessment.volume_score,
            grade=assessment.volume_grade.label,
            expected=round(assessment.volume_expected_score, 4),
            uncertain=bool(assessment.volume_uncertain),
            scores=tuple(int(assessment.scores[frame, index]) for frame, index in worst),
            doubts=tuple(index for frame, index in worst if assessment.uncertain[frame, index]),
        )

    def slices_graded(self, grade: Grade) -> list[int]:
        """Slices of that grade in their worst phase."""
        return [
            index for index, score in enumerate(self.scores) if score and grade_of(score) is grade
        ]

    @property
    def again(self) -> list[int]:
        """The slices to acquire again: the severe ones, the worst first."""
        return sorted(self.slices_graded(Grade.SEVERE), key=lambda index: self.scores[index])

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Entry:
        """Rebuild from `to_dict`, also after JSON; a missing key is a TypeError."""
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in values.items() if name in known}
        for name in ("scores", "doubts"):
            given[name] = tuple(given.get(name) or ())
        for name in ("places", "normals"):
            given[name] = tuple(_vector(value) for value in given.get(name) or ())
        given["repeated"] = tuple(_repeated(value) for value in given.get("repeated") or ())
        return cls(**given)


def _vector(value: Sequence[float] | None) -> tuple[float, float, float] | None:
    return None if value is None else tuple(value)


def _repeated(value: Mapping[str, Any]) -> Repeated:
    return Repeated(
        value["series"],
        value["number"],
        tuple(tuple(pair) for pair in value["slices"]),
        tuple(value["before"]),
        tuple(value["after"]),
    )
