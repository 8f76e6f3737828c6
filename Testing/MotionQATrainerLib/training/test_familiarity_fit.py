from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from MotionQALib.devices import DeviceSetup
from MotionQALib.familiarity import Familiarity
from MotionQALib.preprocessing import Preprocessing
from MotionQATrainerLib.simulation.out_of_distribution import SIDE, out_of_distribution_images
from MotionQATrainerLib.training import familiarity_fit

CPU = DeviceSetup(torch.device("cpu"))


class Pooling(nn.Module):
    """A network whose last layer is given coarse pixels and how rough they are."""

    def __init__(self):
        super().__init__()
        self.classifier = nn.Linear(17, 5)

    def get_classifier(self):
        return self.classifier

    def forward(self, images):
        coarse = nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)
        rough = images.diff(dim=2).abs().mean((1, 2, 3))[:, None]
        return self.classifier(torch.cat([coarse, rough], dim=1))


@pytest.fixture
def slices(tiny_store):
    """240 slices that look alike: a bright spot off the middle, and little noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :40]
    n = 240
    spots = [
        np.exp(-((y - 14 - a) ** 2 + (x - 22 - b) ** 2) / 60) for a, b in rng.normal(0, 1, (n, 2))
    ]
    crops = np.stack(spots) + rng.normal(0, 0.03, (n, 40, 40))
    return replace(
        tiny_store, crops=crops.astype(np.float16),
        images=np.array([f"v{i // 8}" for i in range(n)]),
        subjects=np.full(n, "s"), frames=np.zeros(n, int), slices=np.arange(n) % 8,
        levels=np.eye(5, dtype=bool)[np.arange(n) % 5],
    )  # fmt: skip


def test_what_is_unlike_the_training_is_told_and_the_rest_is_not(slices):
    model = Pooling()
    train, valid = np.arange(200), np.arange(200, 240)
    known, real = (familiarity_fit.look(model, CPU, slices, part)[0] for part in (train, valid))
    said = familiarity_fit.fit_familiarity(model, CPU, slices, train, known, real, count=120)
    assert "no heart" in said
    rng = np.random.default_rng(9)
    batches = familiarity_fit.out_of_distribution_batches(slices.preprocessing, CPU, 80, rng)
    unfamiliar, _ = familiarity_fit.features_of(model, CPU, batches)
    assert (model.familiarity(real) > 0).float().mean() <= 0.05
    assert (model.familiarity(unfamiliar) > 0).float().mean() >= 0.8


def test_too_few_slices_tell_nothing(slices):
    model = Pooling()
    few = np.arange(50)
    seen = familiarity_fit.look(model, CPU, slices, few)[0]
    assert familiarity_fit.fit_familiarity(model, CPU, slices, few, seen, seen) is None
    assert not hasattr(model, "familiarity")


def test_it_is_built_to_fit_a_checkpoints_tensors():
    kept = {f"familiarity.{key}": value for key, value in Familiarity(20, 6).state_dict().items()}
    again = Familiarity.of_tensors(kept)
    assert {f"familiarity.{k}": v.shape for k, v in again.state_dict().items()} == {
        key: value.shape for key, value in kept.items()
    }
    assert Familiarity.of_tensors({"conv.weight": torch.zeros(3)}) is None


def test_strangers_come_in_all_kinds_and_the_seed_repeats_them():
    rng = np.random.default_rng(0)
    hearts = [rng.random((6, 60, 70))]
    drawn = list(out_of_distribution_images(26, np.random.default_rng(1), hearts))
    again = list(out_of_distribution_images(26, np.random.default_rng(1), hearts))
    assert {"label map", "noise", "blank", "limb", "other plane"} <= {kind for kind, _ in drawn}
    for (_, image), (_, same) in zip(drawn, again, strict=True):
        assert image.shape == (SIDE, SIDE) and image.dtype == np.float32
        assert np.isfinite(image).all() and (image == same).all()
    assert Preprocessing(size=64)(torch.from_numpy(image)[None], (1.2, 1.2)).shape == (1, 1, 64, 64)
