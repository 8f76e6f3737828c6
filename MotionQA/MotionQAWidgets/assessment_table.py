"""An assessment as a table node: one row a slice and frame, one for the volume.

The columns are those of MotionQA's CSV, then the reader's; what concerns all rows stands in the
node's attributes.
"""

from __future__ import annotations

import json

import numpy as np
import vtk

from MotionQALib.reports import OVERRIDE_COLUMNS
from MotionQALib.results import Assessment, Override, Row
from MotionQALib.scale import SCORES, Grade

FORMAT = "MotionQA.Format"
"""The attribute that tells such a table from others."""

REALS = ("expected_score", "p1", "p2", "p3", "p4", "p5")

UNSAFE = str.maketrans({'"': "'", "\t": " ", "\n": " ", "\r": " "})
"""Slicer saves tables as tab-separated text without quotes, and reads quotes in it as such."""


def write(table, assessment: Assessment, slice_axis: int) -> None:
    """Fill a table node; ``slice_axis`` is the axis of IJK that slices count along."""
    said = {(o.frame, o.slice): o for o in assessment.overrides}
    rows = {(row.frame, row.slice): row for row in assessment.rows()}
    lines = []
    for place in [*np.ndindex(assessment.graded.shape), (None, None)]:
        row, override = rows.get(place) or _ungraded(assessment.volume, *place), said.get(place)
        mine = override[2:] if override else ("", "", "", "")
        cells = [*row[:-1], str(row.uncertain).lower(), *mine]
        lines.append(["" if cell is None else _savable(cell) for cell in cells])
    content = vtk.vtkTable()
    for name, values in zip(
        (*Row._fields, *OVERRIDE_COLUMNS), zip(*lines, strict=True), strict=True
    ):
        content.AddColumn(_column(name, values))
    modifying = table.StartModify()
    table.SetAndObserveTable(content)
    attributes = {
        FORMAT: 1,
        "MotionQA.SliceAxis": slice_axis,
        "MotionQA.Source": assessment.source,
        "MotionQA.Identity": assessment.identity,
        "MotionQA.Checkpoint": assessment.checkpoint,
        "MotionQA.Notice": assessment.notice,
        "MotionQA.Device": assessment.device,
        "MotionQA.Precision": assessment.precision,
        "MotionQA.Seconds": f"{assessment.seconds:.4f}",
        "MotionQA.Remarks": json.dumps(assessment.remarks),
    }
    for name, value in attributes.items():
        table.SetAttribute(name, None if value is None else str(value))
    table.EndModify(modifying)


def read(table) -> tuple[Assessment, int]:
    """What `write` wrote; ValueError says why a table that was edited or damaged is none."""
    try:
        assessment = _assessment_of(table)
        slice_axis = int(table.GetAttribute("MotionQA.SliceAxis"))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if slice_axis not in (0, 1, 2):
        raise ValueError(f"slice axis {slice_axis}")
    return assessment, slice_axis


def _ungraded(volume: str, frame: int, index: int) -> Row:
    """The row of an image that is blank or missing."""
    return Row(volume, frame, index, 0, 0.0, "", *[0.0] * len(SCORES), False)


def _savable(cell):
    """What comes back from a saved table as it is; a line that starts with # would not come."""
    return cell.translate(UNSAFE).lstrip("# ").rstrip() if isinstance(cell, str) else cell


def _column(name: str, values):
    kinds = {"score": vtk.vtkIntArray} | dict.fromkeys(REALS, vtk.vtkDoubleArray)
    kind = kinds.get(name, vtk.vtkStringArray)
    column = kind()
    column.SetName(name)
    for value in values:
        column.InsertNextValue(str(value) if kind is vtk.vtkStringArray else value)
    return column


def _assessment_of(table) -> Assessment:
    lines = _lines(table.GetTable())
    places = {(_number(line["frame"]), _number(line["slice"])): line for line in lines}
    whole = places.pop((None, None))
    frames, slices = (1 + max(place[axis] for place in places) for axis in (0, 1))
    if len(places) != frames * slices or min(map(min, places)) < 0:
        raise ValueError("rows are missing")
    probabilities = np.zeros((frames, slices, 5))
    uncertain = np.zeros((frames, slices), bool)
    for place, line in places.items():
        graded = bool(line["grade"])
        probabilities[place] = _probabilities(line) if graded else np.nan
        uncertain[place] = line["uncertain"] == "true"
    overrides = (
        _override_of(place, line) for place, line in [*places.items(), ((None,) * 2, whole)]
    )
    return Assessment(
        volume=whole["volume"],
        source=table.GetAttribute("MotionQA.Source"),
        identity=table.GetAttribute("MotionQA.Identity"),
        checkpoint=table.GetAttribute("MotionQA.Checkpoint") or "",
        notice=table.GetAttribute("MotionQA.Notice") or "",
        probabilities=probabilities,
        volume_probabilities=np.array(_probabilities(whole)),
        uncertain=uncertain,
        volume_uncertain=whole["uncertain"] == "true",
        device=table.GetAttribute("MotionQA.Device") or "",
        precision=table.GetAttribute("MotionQA.Precision") or "",
        seconds=float(table.GetAttribute("MotionQA.Seconds") or 0),
        remarks=tuple(json.loads(table.GetAttribute("MotionQA.Remarks") or "[]")),
        overrides=tuple(override for override in overrides if override is not None),
    )


def _lines(content) -> list[dict[str, str]]:
    """Rows as text by column, whatever types the columns came back from a file with."""
    columns = [content.GetColumn(number) for number in range(content.GetNumberOfColumns())]
    return [
        {column.GetName(): str(column.GetValue(row)) for column in columns}
        for row in range(content.GetNumberOfRows())
    ]


def _probabilities(line: dict[str, str]) -> list[float]:
    probabilities = [float(line[f"p{score}"]) for score in SCORES]
    if not 0.99 < sum(probabilities) < 1.01 or min(probabilities) < 0:
        raise ValueError(f"probabilities {probabilities}")
    return probabilities


def _number(text: str) -> int | None:
    return int(float(text)) if text else None


def _override_of(place: tuple, line: dict[str, str]) -> Override | None:
    grade = line.get("override_grade")
    if not grade:
        return None
    score = _number(line["override_score"])
    if grade not in [known.label for known in Grade] or score not in (None, *SCORES):
        raise ValueError(f"a reader's grade {grade!r}, score {score}")
    return Override(*place, score, grade, line["reader"], line["time"])
