"""`compare`: several backbones under the same settings, the same split and the same slices."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from MotionQALib.backbones import BACKBONES
from MotionQALib.checkpoints import SUFFIX

from .datasets import open_store
from .labels import read_labels
from .matching import by_image, match
from .progress import Cancelled, Event, Progress, silent
from .run_folder import STATE, RunFolder
from .settings import Settings
from .splits import Split, by_folds, by_fractions, worst_grades
from .training import fit

TABLE = "comparison.csv"


@dataclass(frozen=True)
class Row:
    """One backbone: accuracies and quadratic kappa of slices' grades, means over the folds."""

    model: str
    train_acc: float | None = None
    valid_acc: float | None = None
    kappa: float | None = None
    failed: str = ""


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
) -> list[Row]:
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
    match(data, by_image(read_labels(labels)), labels)
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    for name in backbones or BACKBONES:
        for state in output.glob(f"{name}*/{STATE}"):
            run = RunFolder(state.parent.with_name(f"{state.parent.name}{SUFFIX}"))
            run.refuse_loss(resume=resume, overwrite=overwrite)
    cache = cache or output / "cache"
    rows = []
    for name in backbones or BACKBONES:
        progress(Event("compare", name))
        try:
            chosen = settings.changed({"model.backbone": name})
            splits = _splits(data, labels, chosen, folds, split, output, cache)
            cards = [
                fit(
                    data, labels, output / _file(name, part), chosen, split=part, resume=resume,
                    overwrite=overwrite, cache=cache, device=device, progress=progress,
                    cancelled=cancelled,
                ).card
                for part in splits
            ]  # fmt: skip
        except Cancelled:
            raise
        except (ValueError, RuntimeError, OSError, MemoryError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            rows.append(Row(name, failed=reason))
            progress(Event("compare", f"{name} failed: {reason}"))
        else:
            rows.append(_row(name, [card.training for card in cards]))
        _write(output / TABLE, rows)
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, which reads well in a terminal too."""
    lines = [["model", "Train_acc", "Valid_acc", "κ", ""]]
    for row in rows:
        numbers = (row.train_acc, row.valid_acc, row.kappa)
        shown = ["–" if number is None else f"{number:.3f}" for number in numbers]
        lines.append([row.model, *shown, f"failed: {row.failed}" if row.failed else ""])
    if not any(line[-1] for line in lines):
        lines = [line[:-1] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(c.ljust(w) for c, w in zip(line, widths, strict=True))} |" for line in lines
    )


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


def _row(name: str, training: list[dict]) -> Row:
    columns = ("train_accuracy", "valid_accuracy", "valid_kappa")
    return Row(name, *(float(np.mean([of[key] for of in training])) for key in columns))


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([item.name for item in fields(Row)])
        writer.writerows(["" if v is None else v for v in astuple(row)] for row in rows)
