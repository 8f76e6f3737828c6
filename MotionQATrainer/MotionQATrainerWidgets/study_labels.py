"""Labels out of a study of the labelling panel: one reader's scores, or the consensus."""

from __future__ import annotations

from pathlib import Path

from MotionQALib.checkpoints import user_folder
from MotionQALib.reading import score_exports
from MotionQALib.reading.scores import CONSENSUS, all_scores, read_scores
from MotionQALib.reading.study import FILE, Study


def is_study(folder: str | Path) -> bool:
    return (Path(folder) / FILE).is_file()


def readers(folder: str | Path) -> list[str]:
    """Whose scores there are, the consensus first. Raises ReadingError."""
    study = Study.open(folder)
    found = [scores.reader for scores in all_scores(study) if scores.entries]
    agreed = read_scores(study.scores_folder / f"{CONSENSUS}.jsonl").entries
    return [*([CONSENSUS] if agreed else []), *found]


def write_labels(folder: str | Path, reader: str) -> Path:
    """Write what a reader scored so far as the trainer's labels; the file. Raises ReadingError.

    It lies outside the study, which is the readers', and stays there for a training to resume.
    """
    study = Study.open(folder)
    target = user_folder().parent / "labels" / f"{study.folder.resolve().name}-{reader}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    score_exports.export_labels(study, reader, target)
    return target
