"""The table of a comparison: a line a network, its accuracies and kappa."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from MotionQALib import checkpoints
from MotionQALib.spreadsheet_files import original, write_rows
from MotionQALib.tables import read_table

TABLE = "comparison.csv"


@dataclass(frozen=True)
class ComparedNetwork:
    """One backbone: accuracies and quadratic kappa of slices' grades, means over the folds."""

    model: str
    train_acc: float | None = None
    valid_acc: float | None = None
    kappa: float | None = None
    failed: str = ""


@dataclass(frozen=True)
class ComparisonTable:
    """Rows that show themselves as the table in a Python console."""

    rows: tuple[ComparedNetwork, ...]

    def __repr__(self) -> str:
        return table(self.rows)

    @classmethod
    def of_checkpoints(cls, files: Iterable[str | Path]) -> ComparisonTable:
        """What the cards of checkpoints say; one that cannot be read has a row that says why."""
        rows = []
        for file in files:
            try:
                card = checkpoints.read_card(checkpoints.resolve(file))
            except checkpoints.CheckpointError as error:
                rows.append(ComparedNetwork(Path(file).stem, failed=str(error)))
                continue
            columns = ("train_accuracy", "valid_accuracy", "valid_kappa")
            rows.append(ComparedNetwork(card.name, *(card.training.get(key) for key in columns)))
        return cls(tuple(rows))

    @classmethod
    def load(cls, path: Path) -> ComparisonTable:
        """Read what `write` wrote; no rows where there is no file yet."""
        if not path.exists():
            return cls(())
        rows = []
        for _, (model, *numbers, failed) in read_table(path).rows:
            accuracies = (float(number) if number else None for number in numbers)
            rows.append(ComparedNetwork(original(model), *accuracies, failed=original(failed)))
        return cls(tuple(rows))


def table(rows: Sequence[ComparedNetwork]) -> str:
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


def write(path: Path, rows: Sequence[ComparedNetwork]) -> None:
    """Write the rows as CSV."""
    write_rows(path, [item.name for item in fields(ComparedNetwork)], map(astuple, rows))
