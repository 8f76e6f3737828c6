"""The network's grades of a study's cases.

network = NetworkGrades.read("results.json", cases)     # of `motionqa assess --json` or --csv
network = NetworkGrades.of(assessments, cases)          # results in Slicer's scene
network.score_of(item.key)                              # 1 to 5, or None
network.uncertainties("slice")                          # for Worklist's order "uncertain"
network.remarks                                         # sentences about what fits no case
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..results import Assessment
from ..scale import uncertainty
from ..spreadsheet_files import original
from .blinding import Remark
from .case_list import CaseList
from .cases import Case, read_table
from .export_names import export_names
from .reading_errors import ReadingError
from .score_entry import ItemKey


@dataclass(frozen=True)
class NetworkGrades:
    """Assessments by the key of their case."""

    assessments: dict[str, Assessment] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def of(cls, assessments: Iterable[Assessment], cases: CaseList) -> NetworkGrades:
        """Find each assessment's case: by content, else by file, else by a name that is unique."""
        finder = _Finder(cases)
        found: dict[str, Assessment] = {}
        remarks: list[Remark] = []
        for assessment in assessments:
            case = finder.case_of(assessment)
            if case is None:
                remarks.append(
                    Remark(f"{assessment.volume} was graded, but is no case of this study.")
                )
            elif (assessment.n_frames, assessment.n_slices) != (case.n_frames, case.n_slices):
                text = (
                    f"{assessment.volume} was graded with {assessment.n_slices} slices and "
                    f"{assessment.n_frames} frames, but the case has {case.n_slices} and "
                    f"{case.n_frames}; its grades are left out."
                )
                remarks.append(Remark(text))
            elif case.key in found:
                remarks.append(
                    Remark(f"{assessment.volume} was graded twice; the first grade counts.")
                )
            else:
                found[case.key] = assessment
        return cls(found, tuple(remarks))

    @classmethod
    def read(cls, path: str | Path, cases: CaseList) -> NetworkGrades:
        """Read what ``motionqa assess`` wrote. Raises ReadingError if the file is no such thing."""
        path = Path(path)
        read = _from_csv if path.suffix.lower() == ".csv" else _from_json
        return cls.of(read(path), cases)

    def score_of(self, key: ItemKey) -> int | None:
        """The network's score; of a cine's slice, in its worst frame."""
        assessment = self.assessments.get(key.case)
        if assessment is None:
            return None
        if key.slice is None:
            return assessment.volume_score
        if not key.slice < assessment.n_slices:
            return None
        return int(assessment.scores[assessment.worst_frames[key.slice], key.slice]) or None

    def uncertainties(self, level: str) -> dict[str, float]:
        """How uncertain each case is, 0 to 1: 1 - P(its grade), for slices their mean."""
        return {key: _uncertainty(a, level) for key, a in self.assessments.items()}


def _uncertainty(assessment: Assessment, level: str) -> float:
    if level == "volume":
        return float(uncertainty(assessment.volume_probabilities[None])[0])
    frames, slices = assessment.worst_frames, np.arange(assessment.n_slices)
    return float(np.nanmean(uncertainty(assessment.probabilities[frames, slices])))


_ABSURD = (OverflowError, RecursionError)


class _Finder:
    def __init__(self, cases: CaseList) -> None:
        self._replaced = cases.replaced
        self._by_key = {case.key: case for case in cases.cases}
        self._by_file: dict[Path, Case] = {}
        self._by_name: dict[str, list[Case]] = {}
        apart = export_names(cases)
        for case in cases.cases:
            if case.path is not None and case.key not in cases.replaced:
                self._by_file[cases.study.absolute(case.path).resolve()] = case
            for name in {case.name, apart[case.key]}:
                self._by_name.setdefault(name, []).append(case)

    def case_of(self, assessment: Assessment) -> Case | None:
        identity = assessment.identity or ""
        case = self._by_key.get(identity)
        # An edited series has the old one's UID: then its file tells which of them it is.
        if case is not None and not (case.key in self._replaced and identity.startswith("dicom:")):
            return case
        if assessment.source is not None:
            case = self._by_file.get(Path(assessment.source).resolve())
            if case is not None:
                return case
        alike = self._by_name.get(assessment.volume, [])
        return alike[0] if len(alike) == 1 else None


def _faulty(path: Path, fault: str) -> ReadingError:
    return ReadingError(f"{path}{fault}", blinded=f"The file{fault}")


def _from_json(path: Path) -> list[Assessment]:
    try:
        content = json.loads(path.read_bytes())
        return [Assessment.from_dict(values) for values in content["assessments"]]
    except OSError as error:
        raise _faulty(path, f" cannot be read ({error.strerror}); check the path.") from error
    except (ValueError, TypeError, KeyError, AttributeError, *_ABSURD) as error:
        raise _faulty(path, " is not what motionqa assess --json writes; make it again.") from error


def _from_csv(path: Path) -> list[Assessment]:
    volumes: dict[str, dict[tuple[int, int] | None, list[float]]] = {}
    for number, row in read_table(path):
        try:
            place = (int(row["frame"]), int(row["slice"])) if row["slice"] else None
            texts = [row[f"p{score}"] for score in range(1, 6)]
            graded = any(texts) or not place  # a blank slice has no grade
            values = [float(text) if graded else math.nan for text in texts]
            if (graded and not all(map(math.isfinite, values))) or (place and min(place) < 0):
                raise ValueError
            volumes.setdefault(original(row["volume"]), {})[place] = values
        except (KeyError, ValueError, OverflowError) as error:
            fault = f", line {number} is not what motionqa assess --csv writes; make it again."
            raise _faulty(path, fault) from error
    return [_assembled(path, name, rows) for name, rows in volumes.items()]


def _assembled(path: Path, name: str, rows: Mapping) -> Assessment:
    places = [place for place in rows if place is not None]
    shape = tuple(1 + max((place[axis] for place in places), default=-1) for axis in (0, 1))
    if None not in rows or len(places) != shape[0] * shape[1] or not places:
        text = "{} lacks rows{}; make it again with motionqa assess."
        raise ReadingError(text.format(path, f" of {name}"), blinded=text.format("The file", ""))
    probabilities = np.zeros((*shape, 5))
    for place in places:
        probabilities[place] = rows[place]
    return Assessment(
        volume=name,
        source=None,
        identity=None,
        checkpoint="",
        notice="",
        probabilities=probabilities,
        volume_probabilities=np.array(rows[None]),
        uncertain=np.zeros(shape, dtype=bool),
        volume_uncertain=False,
        device="",
        precision="",
        seconds=0.0,
    )
