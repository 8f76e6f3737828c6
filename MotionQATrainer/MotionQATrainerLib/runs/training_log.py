"""log.csv of a training run: a row an epoch, for people and for whoever draws its curves."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from MotionQALib.spreadsheet_files import line
from MotionQALib.whole_files import write_whole

COLUMNS = (
    "epoch", "step", "seconds", "learning_rate", "train_loss",
    "valid_nll", "valid_accuracy", "valid_kappa", "best",
)  # fmt: skip


def append(path: Path, row: Mapping[str, float]) -> None:
    """Add an epoch; what ``row`` lacks stays empty. Raises OSError."""
    new = not path.exists() or not path.stat().st_size
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write((line(COLUMNS) if new else "") + line(row.get(name) for name in COLUMNS))


def cut(path: Path, step: int) -> None:
    """Drop the rows of epochs after a step, and a torn one."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    head, *rows = [row for row in lines if row.endswith("\n")] or [""]
    at = COLUMNS.index("step")
    write_whole(path, "".join([head, *(row for row in rows if int(row.split(",")[at]) <= step)]))


def read(path: Path) -> list[dict[str, float | None]]:
    """The whole rows, None where a value is missing; the last may still be being written."""
    try:
        text = path.read_text("utf-8")
    except OSError:
        return []
    rows = []
    for row in csv.DictReader(text[: text.rfind("\n") + 1].splitlines()):
        try:
            rows.append({key: float(value) if value else None for key, value in row.items()})
        except (TypeError, ValueError):
            continue
    return rows
