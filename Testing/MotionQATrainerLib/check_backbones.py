"""Every backbone from the command line, at its own size: compare, evaluate, export-png.

It takes minutes, so that it is no part of the suite: ``make check-backbones``.
"""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from MotionQALib import backbones, checkpoints, volumes
from MotionQALib.assessment import Assessor
from MotionQATrainerLib.cli import main

pytestmark = pytest.mark.timeout(7200)  # five large networks on a small machine

FEW = ["P001-1-ED", "P001-3-ED", "P002-2-ED", "P002-4-ED", "P003-1-ED", "P003-4-ED",
       "P004-3-ED", "P005-1-ED", "P005-4-ED", "P006-2-ED"]  # fmt: skip


@pytest.fixture(scope="module")
def few(rated_set, tmp_path_factory):
    """Labels of a few volumes of six subjects, and the arguments that name them."""
    with rated_set.scores.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["image"] in FEW]
    labels = tmp_path_factory.mktemp("few") / "labels.csv"
    with labels.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return ["--data", str(rated_set.folder), "--labels", str(labels)]


@pytest.fixture(scope="module")
def compared(few, tmp_path_factory):
    output = tmp_path_factory.mktemp("compared")
    changes = {"training.epochs": 1, "training.batch_size": 4, "data.epoch_slices": 8,
               "data.validation_slices": 8, "training.precision": "fp32",
               "training.save_minutes": 60.0}  # fmt: skip
    sets = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
    status = main(["compare", *few, "--output", str(output), "--set", "model.pretrained=false",
                   *sets])  # fmt: skip
    with (output / "comparison.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    return status, output, rows


def test_all_backbones_are_trained_and_compared(compared):
    status, _, rows = compared
    assert {name: row["failed"] for name, row in rows.items()} == dict.fromkeys(
        backbones.BACKBONES, ""
    )
    assert status == 0
    assert all(0 <= float(row["valid_acc"]) <= 1 for row in rows.values())


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_each_grades_and_is_evaluated_at_its_own_size(compared, few, rated_set, name, tmp_path):
    network = compared[1] / f"{name}.safetensors"
    card = checkpoints.read_card(network)
    own = backbones.get(name).preprocessing
    assert (card.backbone, card.network_input.size) == (name, own.size)
    assert card.network_input.spacing == own.spacing
    table, figures = tmp_path / "p.csv", tmp_path / "f.json"
    assert main(["evaluate", str(network), *few, "--part", "all", "--no-baselines",
                 "--predictions", str(table), "--json", str(figures)]) == 0  # fmt: skip
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert (found["n_volumes"], found["n_slices"]) == (len(FEW), 3 * len(FEW))
    assert len(table.read_text().splitlines()) == 1 + 4 * len(FEW)
    path = next(rated_set.folder.rglob(f"{FEW[0]}.nii.gz"))
    assessment = Assessor(network, device="cpu").assess(volumes.read(path))
    assert np.isfinite(assessment.probabilities).all()


def test_the_slices_are_exported(few, tmp_path, capsys):
    assert main(["export-png", str(tmp_path), *few]) == 0
    assert f"Wrote {3 * len(FEW)} slices" in capsys.readouterr().out
    assert {path.parent.name for path in tmp_path.rglob("*.png")} == {"1", "2", "3", "4", "5"}
