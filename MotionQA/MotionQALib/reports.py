"""Results as files: CSV for statistics, JSON for programs, HTML for people.

Every file is written whole or not at all: a report that is cut short could be taken for complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .assessment_summary import summary
from .results import Assessment, Failure, Override, Row
from .spreadsheet_files import line, write_lines
from .version import version
from .whole_files import written_whole

if TYPE_CHECKING:
    from .checkpoints import Card
    from .slice_pictures import SlicePicture

JSON_FORMAT = 1

OVERRIDE_COLUMNS = ("override_score", "override_grade", "reader", "time")
"""Of the CSV, after those of `Row`, where a reader gave a grade of their own."""


def write_csv(assessments: Iterable[Assessment], path: str | Path, *, marked: bool = False) -> None:
    """Write one row a slice and frame, then one a volume; the columns are those of `Row`.

    Empty cells stand for the frame and the slice of a volume's row, and for the grade of a slice
    that is blank or missing; probabilities have six decimals. Where readers gave grades,
    `OVERRIDE_COLUMNS` follow. Files for people are ``marked`` (see `spreadsheet_files`);
    programs need none.
    """
    if not isinstance(assessments, Sequence):
        assessments = list(assessments)
    overridden = any(assessment.overrides for assessment in assessments)
    rows = (csv_rows(one, overridden) for one in assessments)
    if marked:
        write_lines(path, [csv_head(overridden), *rows], marked=True)
        return
    with written_whole(path, newline="") as file:
        file.write(csv_head(overridden))
        file.writelines(rows)  # one at a time: there may be more than memory holds


def csv_head(overridden: bool = False) -> str:
    """The first line of a table of grades; ``overridden`` adds `OVERRIDE_COLUMNS`."""
    return line((*Row._fields, *OVERRIDE_COLUMNS) if overridden else Row._fields)


def csv_rows(assessment: Assessment, overridden: bool = False) -> str:
    """The lines of one volume under `csv_head`."""
    said = {(o.frame, o.slice): o for o in assessment.overrides}
    rows = {(row.frame, row.slice): row for row in assessment.rows()}
    lines = []
    for place in [*np.ndindex(assessment.graded.shape), (None, None)]:
        row = rows.get(place)
        cells = _empty(assessment.volume, *place) if row is None else _cells(row)
        lines.append(line(cells + (_override_cells(said.get(place)) if overridden else [])))
    return "".join(lines)


def write_json(
    assessments: Iterable[Assessment],
    path: str | Path,
    *,
    card: Card | None = None,
    failures: Sequence[Failure] = (),
) -> None:
    """Write everything that is known: assessments, the checkpoint's card, and what failed."""
    head = {
        "format": JSON_FORMAT,
        "motionqa": version(),
        "written": datetime.now().astimezone().isoformat(timespec="seconds"),
        "checkpoint": None if card is None else asdict(card),
        "failures": [{"source": source, "reason": reason} for source, reason in failures],
    }
    with written_whole(path) as file:
        # An assessment a line, one at a time: there may be more of them than memory holds.
        file.write(json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}"))
        file.write(',\n "assessments": [')
        for number, assessment in enumerate(assessments):
            described = json.dumps(_described(assessment), ensure_ascii=False)
            file.write(f"{',' if number else ''}\n  {described}")
        file.write("\n ]\n}\n")


def write_html(
    assessments: Sequence[Assessment],
    path: str | Path,
    *,
    pictures: Sequence[Sequence[SlicePicture]] = (),
    card: Card | None = None,
    failures: Sequence[Failure] = (),
) -> None:
    """Write a page that needs no other file.

    Parameters
    ----------
    pictures : of each assessment, its slices' (see `pictures.draw`); may be left out
    """
    from .report_page import page

    with written_whole(path) as file:
        file.writelines(page(assessments, pictures, card, failures))


def _cells(row: Row) -> list[str]:
    numbers = [f"{value:.6f}" for value in row[6:11]]
    return [
        row.volume,
        "" if row.frame is None else str(row.frame),
        "" if row.slice is None else str(row.slice),
        str(row.score),
        f"{row.expected_score:.4f}",
        row.grade,
        *numbers,
        str(row.uncertain).lower(),
    ]


def _empty(volume: str, frame: int, index: int) -> list[str]:
    """The row of an image without a grade."""
    return [volume, str(frame), str(index)] + [""] * (len(Row._fields) - 3)


def _override_cells(override: Override | None) -> list[str]:
    if override is None:
        return [""] * len(OVERRIDE_COLUMNS)
    score = "" if override.score is None else str(override.score)
    return [score, override.grade, override.reader, override.time]


def _described(assessment: Assessment) -> dict:
    return {
        **assessment.to_dict(),
        "scores": _nothing_for(assessment.scores, ~assessment.graded),
        "expected_scores": _nothing_for(assessment.expected_scores, ~assessment.graded),
        "volume_score": assessment.volume_score,
        "volume_expected_score": assessment.volume_expected_score,
        "volume_grade": assessment.volume_grade.label,
        "verdict": summary(assessment),
    }


def _nothing_for(values: np.ndarray, ungraded: np.ndarray) -> list:
    """Nested lists with None where there is no grade."""
    return np.where(ungraded, None, values.astype(object)).tolist()
