"""What `evaluate` found: tables for people, JSON for programs, and the checkpoint's card."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from MotionQALib import checkpoints
from MotionQALib.whole_files import write_whole

from . import metrics
from .metrics import Interval

NETWORK = "MotionQA"

Results = dict[str, dict[str, Interval]]
"""System -> metric -> value."""


@dataclass
class Evaluation:
    """Figures of a checkpoint, and of the baselines, on volumes and on slices.

    Parameters
    ----------
    subjects : names of those that were graded
    volumes, slices : system -> metric -> Interval; empty where there are no such labels
    clean : share of untouched volumes that are graded mild
    sweep : Spearman correlation of the expected score with rising motion, median over slices
    """

    checkpoint: str
    subjects: list[str]
    n_volumes: int = 0
    n_slices: int = 0
    volumes: Results = field(default_factory=dict)
    slices: Results = field(default_factory=dict)
    clean: Interval | None = None
    sweep: Interval | None = None
    remarks: list[str] = field(default_factory=list)

    def table(self, style: str = "text") -> str:
        """The challenge's own figures first: accuracy and linear-weighted kappa of volumes."""
        parts = [f"{self.checkpoint}, tested on subjects: {len(self.subjects)}"]
        for title, n, results in (
            ("Volumes", self.n_volumes, self.volumes),
            ("Slices", self.n_slices, self.slices),
        ):
            if results:
                parts += [f"{title} ({n})", metrics.table(results, style)]
        for title, value in (
            ("Untouched volumes graded mild", self.clean),
            ("Spearman of the expected score, motion rising, median over slices", self.sweep),
        ):
            if value is not None:
                parts.append(f"{title}: {value}")
        return "\n\n".join([*parts, *self.remarks])

    def to_dict(self) -> dict:
        """Plain values for JSON: intervals as [value, low, high]."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        for name in ("volumes", "slices"):
            values[name] = {
                system: {key: value.to_list() for key, value in figures.items()}
                for system, figures in values[name].items()
            }
        for name in ("clean", "sweep"):
            values[name] = values[name] and values[name].to_list()
        return values

    def save(self, path: str | Path) -> None:
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False)
        write_whole(path, text + "\n")

    def card_metrics(self) -> dict[str, list[float | None]]:
        """The network's figures as a card holds them: ``volume_accuracy`` and so on."""
        found = {
            f"{unit}_{name}": value.to_list()
            for unit, results in (("volume", self.volumes), ("slice", self.slices))
            for name, value in results.get(NETWORK, {}).items()
        }
        for name, value in (("clean_mild", self.clean), ("sweep_spearman", self.sweep)):
            if value is not None:
                found[name] = value.to_list()
        return found


def update_card(checkpoint: str | Path, result: Evaluation) -> None:
    """Write the figures in the checkpoint's card, the baselines' beside them."""
    path = checkpoints.resolve(checkpoint)
    card = checkpoints.read_card(path)
    tested = {"subjects": len(result.subjects), "volumes": result.n_volumes,
              "slices": result.n_slices}  # fmt: skip
    content = result.to_dict()
    others = {
        unit: {system: v for system, v in content[unit].items() if system != NETWORK}
        for unit in ("volumes", "slices")
    }
    training = {**card.training, "tested_on": tested, "baselines": others}
    metrics_of = result.card_metrics()
    checkpoints.update_card(path, dataclasses.replace(card, metrics=metrics_of, training=training))
