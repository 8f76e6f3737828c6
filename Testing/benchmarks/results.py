"""What a benchmark is given and what it gives, and the table of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch


@dataclass(frozen=True)
class Options:
    """How to measure: pairs a ratio, which backbones, on which device, or only whether it runs."""

    repetitions: int = 7
    backbones: tuple[str, ...] = ()
    device: str = "cpu"
    quick: bool = False

    @property
    def least(self) -> float:
        """Seconds that a measurement takes at least."""
        return 0.0 if self.quick else 0.2


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Parameters
    ----------
    benchmark, case, figure : which one, of what, and what was measured
    values : one a repetition
    bound : that the median is held against; None for a figure given for comparison only
    at_most : whether the bound is a ceiling; otherwise it is a floor
    detail : the times behind the ratio
    """

    benchmark: str
    case: str
    figure: str
    values: tuple[float, ...]
    bound: float | None
    at_most: bool
    detail: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def verdict(self) -> str:
        if self.bound is None:
            return ""
        met = self.value <= self.bound if self.at_most else self.value >= self.bound
        return "met" if met else "MISSED"

    @property
    def limit(self) -> str:
        return "" if self.bound is None else f"{'≤' if self.at_most else '≥'} {self.bound:g}"

    def cells(self) -> tuple[str, ...]:
        spread = f"{min(self.values):.2f}–{max(self.values):.2f}"
        return (
            self.benchmark, self.case, self.figure, f"{self.value:.2f}", spread, self.limit,
            self.verdict, self.detail,
        )  # fmt: skip

    def line(self) -> str:
        return "  ".join(cell for cell in self.cells() if cell)

    def to_dict(self) -> dict:
        return asdict(self) | {"value": self.value, "verdict": self.verdict}


HEADINGS = ("benchmark", "case", "measured", "median", "range", "bound", "", "times")


def table(results: Sequence[Result]) -> str:
    """A Markdown table whose columns line up, so that it reads as plain text too."""
    rows = [HEADINGS, *(result.cells() for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(map(str.ljust, row, widths)).join(("| ", " |")) for row in rows]
    lines.insert(1, "|".join("-" * (width + 2) for width in widths).join("||"))
    return "\n".join(lines)


def environment(options: Options) -> dict[str, object]:
    """What the numbers depend on besides the code."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": options.device,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "repetitions": options.repetitions,
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
