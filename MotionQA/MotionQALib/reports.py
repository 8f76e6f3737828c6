"""Results as files: CSV for statistics, JSON for programs, HTML for people.

Every file is written whole or not at all: a report that is cut short could be taken for complete.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .results import Assessment, Override, Row
from .scale import SCORE_WORDS, Grade

if TYPE_CHECKING:
    from .checkpoints import Card
    from .slice_pictures import SlicePicture

JSON_FORMAT = 1

OVERRIDE_COLUMNS = ("override_score", "override_grade", "reader", "time")
"""Of the CSV, after those of `Row`, where a reader gave a grade of their own."""

Failure = tuple[str, str]
"""A file that could not be graded, and the sentence that says why."""


def write_csv(assessments: Iterable[Assessment], path: str | Path) -> None:
    """Write one row a slice and frame, then one a volume; the columns are those of `Row`.

    Empty cells stand for the frame and the slice of a volume's row; probabilities have six
    decimals. Where readers gave grades, `OVERRIDE_COLUMNS` follow.
    """
    assessments = list(assessments)
    overridden = any(assessment.overrides for assessment in assessments)
    with written_whole(path, newline="") as file:
        file.write(csv_head(overridden))
        file.writelines(csv_rows(assessment, overridden) for assessment in assessments)


def csv_head(overridden: bool = False) -> str:
    """The first line of a table of grades; ``overridden`` adds `OVERRIDE_COLUMNS`."""
    return _line((*Row._fields, *OVERRIDE_COLUMNS) if overridden else Row._fields)


def csv_rows(assessment: Assessment, overridden: bool = False) -> str:
    """The lines of one volume under `csv_head`."""
    said = {(o.frame, o.slice): o for o in assessment.overrides}
    return "".join(
        _line(
            _cells(row) + (_override_cells(said.get((row.frame, row.slice))) if overridden else [])
        )
        for row in assessment.rows()
    )


def _line(cells: Sequence[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue()


def write_json(
    assessments: Iterable[Assessment],
    path: str | Path,
    *,
    card: Card | None = None,
    failures: Sequence[Failure] = (),
) -> None:
    """Write everything that is known: assessments, the checkpoint's card, and what failed."""
    content = {
        "format": JSON_FORMAT,
        "motionqa": version(),
        "written": datetime.now().astimezone().isoformat(timespec="seconds"),
        "checkpoint": None if card is None else asdict(card),
        "assessments": [_described(assessment) for assessment in assessments],
        "failures": [{"source": source, "reason": reason} for source, reason in failures],
    }
    with written_whole(path) as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.write("\n")


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


def verdict(assessment: Assessment) -> str:
    """What is to be known of a volume, in a few sentences.

    >>> verdict(assessment)
    'Severe motion: score 2 of 5 (poor). Severe: slices 0-3; moderate: slice 4.'
    """
    score, grade = assessment.volume_score, assessment.volume_grade
    sentences = [f"{grade.label.capitalize()} motion: score {score} of 5 ({SCORE_WORDS[score]})."]
    found = {grade: assessment.slices_graded(grade) for grade in (Grade.SEVERE, Grade.MODERATE)}
    named = [f"{grade.label}: {in_words(slices)}" for grade, slices in found.items() if slices]
    if named:
        worst = ", each in its worst frame" if assessment.n_frames > 1 else ""
        sentences.append(_sentence("; ".join(named) + worst))
    elif assessment.n_slices > 1:
        sentences.append(f"All {assessment.n_slices} slices are mild.")
    if assessment.volume_uncertain:
        sentences.append("The volume's grade is uncertain.")
    return " ".join(sentences)


def in_words(slices: Sequence[int]) -> str:
    """Rising numbers of slices as ranges: [0, 1, 2, 5] is "slices 0-2, 5"."""
    runs: list[list[int]] = []
    for index in slices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    parts = [str(a) if a == b else f"{a}{', ' if b == a + 1 else '-'}{b}" for a, b in runs]
    return f"slice{'s' if len(slices) > 1 else ''} {', '.join(parts)}"


def version() -> str:
    """MotionQA's version; Slicer runs it from its sources, which are not installed."""
    try:
        return metadata.version("motionqa")
    except metadata.PackageNotFoundError:
        return "not installed"


@contextmanager
def written_whole(path: str | Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes its place only when all is written.

    What is no ordinary file, such as ``/dev/stdout``, is written directly.
    """
    path = Path(path)
    if is_special(path):
        with path.open("a", encoding="utf-8", errors="replace", newline=newline) as file:
            yield file
        return
    target = path.resolve() if path.is_symlink() else path
    temporary = target.with_name(f".motionqa-{os.getpid()}-{id(target)}.part")
    try:
        # A file's name may hold bytes that are no text at all: they become question marks.
        with temporary.open("w", encoding="utf-8", errors="replace", newline=newline) as file:
            yield file
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a device or a program's output, which is not to be replaced."""
    return path.parts[:2] == ("/", "dev") or (path.exists() and not path.is_file())


def _cells(row: Row) -> list[str]:
    numbers = [f"{value:.6f}" for value in row[6:11]]
    return [
        _harmless(row.volume),
        "" if row.frame is None else str(row.frame),
        "" if row.slice is None else str(row.slice),
        str(row.score),
        f"{row.expected_score:.4f}",
        row.grade,
        *numbers,
        str(row.uncertain).lower(),
    ]


def _override_cells(override: Override | None) -> list[str]:
    if override is None:
        return [""] * len(OVERRIDE_COLUMNS)
    score = "" if override.score is None else str(override.score)
    return [score, override.grade, _harmless(override.reader), override.time]


def _harmless(name: str) -> str:
    """A spreadsheet takes a cell that starts so for a formula, and would run it."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def _described(assessment: Assessment) -> dict:
    return {
        **assessment.to_dict(),
        "scores": assessment.scores.tolist(),
        "expected_scores": assessment.expected_scores.tolist(),
        "volume_score": assessment.volume_score,
        "volume_expected_score": assessment.volume_expected_score,
        "volume_grade": assessment.volume_grade.label,
        "verdict": verdict(assessment),
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
