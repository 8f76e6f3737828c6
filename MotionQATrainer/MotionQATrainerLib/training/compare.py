"""`compare`: several backbones under the same settings, the same split and the same slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from MotionQALib.backbones import BACKBONES
from MotionQALib.checkpoints import SUFFIX
from MotionQALib.error_text import sentence

from ..data.check import check
from ..data.datasets import open_store
from ..data.splits import Split, by_folds, by_fractions, worst_grades
from ..evaluation.comparison_table import TABLE, ComparedNetwork, table, write
from ..runs.journal import Journal
from ..runs.progress import Event, Progress, Stopped, silent
from ..runs.run_folder import LOCK, STATE, STOP, RunFolder
from ..runs.run_lock import FolderLock
from ..runs.training_error import TrainingError
from .fit import fit
from .training_settings import Settings

__all__ = ["TABLE", "ComparedNetwork", "compare", "table"]


def compare(
    data: str | Path,
    labels: str | Path,
    output: str | Path,
    settings: Settings | None = None,
    *,
    backbones: Sequence[str] | None = None,
    folds: int = 0,
    split: str | Path | Split | None = None,
    resume: bool = False,
    overwrite: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[ComparedNetwork]:
    """Train each backbone, write comparison.csv in the folder ``output``, and return its rows.

    Parameters
    ----------
    data, labels, settings, cache, device, progress, cancelled : as for `fit`. Size and spacing
        are each backbone's own unless set.
    backbones : timm's names; all of MotionQA's by default
    folds : subjects are split into so many folds, each validating once; 0: one split
    resume : go on where a comparison was stopped
    overwrite : start anew even where unfinished runs would be lost

    A backbone that cannot be trained becomes a row that says why; the others go on. Raises
    LabelError, DataError or SplitError for files that none of them could use.
    """
    settings = settings or Settings()
    split = Split.load(split) if isinstance(split, (str, Path)) else split
    distinct = settings.data.distinct_subjects
    check(data, labels, split, read=False, distinct_subjects=distinct).refuse()
    output, names = Path(output), list(backbones or BACKBONES)
    output.mkdir(parents=True, exist_ok=True)
    for name in names:
        for state in output.glob(f"{name}*/{STATE}"):
            run = RunFolder(state.parent.with_name(f"{state.parent.name}{SUFFIX}"))
            run.refuse_loss(resume=resume, overwrite=overwrite)
    lock, stop = FolderLock(output / LOCK), output / STOP
    if not lock.acquire():
        raise TrainingError(f"Another process trains in {output}; wait for it, or choose another.")
    stop.unlink(missing_ok=True)  # it spoke to the comparison before
    cache = cache or output / "cache"
    journal = Journal(output, progress, fresh=not resume)
    rows: list[ComparedNetwork] = []
    try:
        for name in names:
            journal(Event("compare", name))
            try:
                chosen = settings.changed({"model.backbone": name})
                splits = _splits(data, labels, chosen, folds, split, output, cache)
                cards = [
                    fit(
                        data, labels, output / _file(name, part), chosen, split=part,
                        resume=resume, overwrite=overwrite, cache=cache, device=device,
                        progress=journal, cancelled=lambda: cancelled() or stop.exists(),
                    ).card
                    for part in splits
                ]  # fmt: skip
            except (ValueError, RuntimeError, OSError, MemoryError) as error:
                rows.append(ComparedNetwork(name, failed=sentence(error)))
                journal(Event("compare", f"{name} failed: {rows[-1].failed}"))
            else:
                rows.append(_row(name, [card.training for card in cards]))
            write(output / TABLE, rows)
        journal.end("finished")
    except Stopped as stopped:
        journal.end("stopped", str(stopped))
        raise
    finally:
        stop.unlink(missing_ok=True)
        lock.release()
    return rows


def _splits(data, labels, settings, folds, split, output, cache) -> list[Split]:
    """The same splits for every backbone."""
    if split is not None:
        return [split]
    store = open_store(
        data, labels, settings.model.preprocessing, margin=settings.data.margin, cache=cache
    )
    worst = worst_grades(store.subjects, store.levels)
    seed = settings.training.seed
    if folds:
        return by_folds(store.subjects, folds, worst=worst, seed=seed)
    shares = {"valid": settings.data.validation, "test": settings.data.test}
    return [by_fractions(store.subjects, worst=worst, seed=seed, **shares)]


def _file(name: str, split: Split) -> str:
    fold = "" if split.fold is None else f"-fold{split.fold}"
    return f"{name}{fold}.safetensors"


def _row(name: str, training: list[dict]) -> ComparedNetwork:
    columns = ("train_accuracy", "valid_accuracy", "valid_kappa")
    return ComparedNetwork(name, *(float(np.mean([of[key] for of in training])) for key in columns))
