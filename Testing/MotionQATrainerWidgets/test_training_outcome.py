"""When a training counts as having learned nothing."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest

from host import pythonqt

pythonqt(__name__)


def write_card(path, **training):
    """A checkpoint's file of which only the card can be read."""
    card = {"backbone": "tf_efficientnet_lite0", "training": training}
    from MotionQALib.checkpoints import METADATA_KEY

    header = json.dumps({"__metadata__": {METADATA_KEY: json.dumps(card)}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


@pytest.mark.parametrize(
    "card, kappas, nothing",
    [
        ({"valid_kappa": 0.0}, [0.4], True),  # the card tells of what was written
        ({"valid_kappa": 0.01}, [0.0], False),
        ({"valid_kappa": -0.2}, [], True),
        ({"valid_kappa": math.nan}, [], False),  # validated on one grade only: nobody knows
        ({}, [0.0, 0.3], False),
        ({}, [0.3, 0.0], True),
        ({}, [None], False),
        ({}, [], False),
    ],
)
def test_no_better_than_chance_is_nothing(host, tmp_path, card, kappas, nothing):
    host.load_module("MotionQATrainer")
    from MotionQATrainerWidgets import training_outcome

    path = write_card(tmp_path / "new.safetensors", **card)
    rows = [{"valid_kappa": kappa, "best": 1.0} for kappa in kappas]
    rows.append({"valid_kappa": 0.0, "best": 0.0})
    training = SimpleNamespace(run=SimpleNamespace(checkpoint=path), rows=rows)
    assert training_outcome.learned_nothing(training) is nothing


def test_of_a_comparison_nobody_knows(host):
    host.load_module("MotionQATrainer")
    from MotionQATrainerWidgets import training_outcome

    training = SimpleNamespace(run=SimpleNamespace(checkpoint=None), rows=[])
    assert not training_outcome.learned_nothing(training)


def test_what_is_withheld_outside_of_the_list_needs_no_mark(host, tmp_path):
    host.load_module("MotionQATrainer")
    from MotionQATrainerWidgets import publishing

    path = write_card(tmp_path / "elsewhere.safetensors")
    publishing.withhold(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert not publishing.is_listed(path)
    publishing.publish(path)
    assert publishing.is_listed(path)
