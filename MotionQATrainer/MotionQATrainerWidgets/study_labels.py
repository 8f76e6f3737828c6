"""Labels out of a study of the labelling panel: one reader's scores, or the consensus."""

from __future__ import annotations

from pathlib import Path

from MotionQALib.checkpoints import user_folder
from MotionQALib.reading import score_exports
from MotionQALib.reading.scores import CONSENSUS
from MotionQALib.reading.study import FILE, Study
from MotionQALib.reading.study_scores import StudyScores
from MotionQAWidgets import reader_name


def is_study(folder: str | Path) -> bool:
    return (Path(folder) / FILE).is_file()


def readers(folder: str | Path) -> list[str]:
    """Whose scores there are, the consensus first. Raises ReadingError."""
    scores = _scores(folder)
    found = [one.reader for one in scores.readers if one.entries]
    return [*([CONSENSUS] if scores.consensus.entries else []), *found]


def write_labels(folder: str | Path, reader: str) -> Path:
    """Write what a reader scored so far as the trainer's labels; the file. Raises ReadingError.

    It lies outside the study, which is the readers', and stays there for a training to resume.
    """
    scores = _scores(folder)
    target = user_folder().parent / "labels" / f"{scores.study.folder.resolve().name}-{reader}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    score_exports.export_labels(scores, reader, target)
    return target


def _scores(folder: str | Path) -> StudyScores:
    """What the person at this Slicer may see: a reader who still reads, nothing."""
    return StudyScores.for_person(Study.open(folder), reader_name.remembered())
