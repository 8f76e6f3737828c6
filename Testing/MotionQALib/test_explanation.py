"""Relevance maps: in the right place, on the right scale, for every backbone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from MotionQALib import backbones
from MotionQALib.assessment import Assessor, Cancelled
from MotionQALib.checkpoints import Card
from MotionQALib.explanation import LAYERS, relevance, relevance_of
from MotionQALib.volumes import Volume
from MotionQATrainerLib.simulation.breathing import Behaviour, Breathing
from MotionQATrainerLib.simulation.phantom import Phantom
from MotionQATrainerLib.simulation.simulator import Acquisition, MotionSimulator

STARTER = backbones.STARTER_BACKBONE
CARD = Card(
    name="stub", title="A stub", backbone=STARTER, preprocessing={"spacing": 1.25, "size": 160}
)


class Brightness(nn.Module):
    """The brighter a place, the worse the score; stages as those of the starter's backbone."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([6.0, 3.0, 0.0, -3.0, -6.0]))
        pools = (None, None, 8, None, 2, None, 2)
        self.blocks = nn.Sequential(
            *(nn.AvgPool2d(pool) if pool else nn.Identity() for pool in pools)
        )

    def forward(self, images):
        bright = self.blocks(torch.relu(images + 1)).mean(dim=(1, 2, 3))
        return bright[:, None] * self.weight - self.weight


def stub_assessor(**options):
    return Assessor.of_model(CARD, Brightness(), device="cpu", precision="fp32", **options)


def blob_at(row, column, shape=(150, 200)):
    rows, columns = np.indices(shape)
    return (1000 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 200)).astype(np.int16)


def test_every_backbone_has_layers_to_explain_from():
    assert set(LAYERS) == set(backbones.BACKBONES)


@pytest.mark.parametrize("place", [(75, 100), (40, 150), (110, 60)])
def test_map_lies_where_the_cause_lies(place):
    voxels = blob_at(*place)[None, None]
    volume = Volume(voxels, (8.0, 1.3, 1.1))
    found = relevance(stub_assessor(), volume)[0, 0]
    assert found.shape == voxels.shape[2:]
    peak = np.unravel_index(found.argmax(), found.shape)
    assert np.abs(np.subtract(peak, place)).max() <= 4
    weight = found / found.sum()
    centroid = [(weight * axis).sum() for axis in np.indices(found.shape)]
    np.testing.assert_allclose(centroid, place, atol=6)


def test_outside_of_what_the_network_saw_nothing_is_relevant():
    voxels = np.random.default_rng(0).integers(0, 900, (1, 1, 400, 300), dtype=np.int16)
    found = relevance(stub_assessor(), Volume(voxels, (8.0, 1.25, 1.25)))[0, 0]
    assert not found[:115].any()  # 160 of 400 rows are seen
    assert not found[-115:].any()
    assert not found[:, :65].any()
    assert found[120:280, 70:230].any()


def test_peak_is_the_part_of_the_scale_that_is_lost():
    dim, bright = blob_at(75, 100), 1000 - blob_at(75, 100)
    assessor = stub_assessor()
    volume = Volume(np.stack([dim, bright])[None], (8.0, 1.3, 1.1))
    maps = relevance(assessor, volume)
    lost = (5 - assessor.assess(volume).expected_scores) / 4
    assert lost[0, 1] > lost[0, 0] + 0.1
    np.testing.assert_allclose(maps.max(axis=(2, 3)), lost, atol=1e-5)


def test_chosen_slices_are_those_of_the_whole(rng):
    volume = Volume(rng.integers(0, 900, (2, 3, 60, 50), dtype=np.int16), (8.0, 2.5, 2.5))
    assessor = stub_assessor()
    whole = relevance(assessor, volume)
    chosen = relevance_of(assessor, volume, [5, 1])
    np.testing.assert_allclose(chosen, whole.reshape(6, 60, 50)[[5, 1]], atol=1e-6)


def test_progress_and_cancelling(rng):
    volume = Volume(rng.integers(0, 900, (1, 6, 60, 50), dtype=np.int16), (8.0, 2.5, 2.5))
    seen = []
    relevance(stub_assessor(), volume, progress=lambda *count: seen.append(count))
    assert seen == [(4, 6), (6, 6)]
    with pytest.raises(Cancelled):
        relevance(stub_assessor(), volume, cancelled=lambda: True)


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_every_backbone_explains_itself(name, rng):
    backbone = backbones.get(name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, _ = backbones.create(name)
    card = replace(CARD, backbone=name, preprocessing=backbone.preprocessing.to_dict())
    assessor = Assessor.of_model(card, model, device="cpu", precision="fp32")
    volume = Volume(rng.integers(0, 900, (1, 1, 120, 140), dtype=np.int16), (8.0, 1.4, 1.4))
    first, second = relevance(assessor, volume), relevance(assessor, volume)
    assert first.shape == volume.voxels.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert 0 < first.max() <= 1
    assert first.std() > 0
    np.testing.assert_array_equal(first, second)


def test_grading_and_explaining_leave_each_other_alone(rng, monkeypatch):
    hooks, register = [], torch.nn.Module.register_forward_hook

    def noted(self, hook):
        hooks.append(register(self, hook))
        return hooks[-1]

    monkeypatch.setattr(torch.nn.Module, "register_forward_hook", noted)
    volume = Volume(rng.integers(0, 900, (1, 2, 60, 50), dtype=np.int16), (8.0, 2.5, 2.5))
    assessor = stub_assessor()
    before = assessor.assess(volume).probabilities
    relevance(assessor, volume)
    np.testing.assert_array_equal(assessor.assess(volume).probabilities, before)
    assert hooks and not any(hook.id in hook.hooks_dict_ref() for hook in hooks)


@pytest.mark.parametrize("right", [False, True])
def test_starter_sees_motion_where_it_is(right):
    """Stacks of which one half of each slice is spoilt by simulated motion."""
    assessor = Assessor(device="cpu", precision="fp32")
    rng = np.random.default_rng(4)
    person = Phantom(seed=4, n_slices=5)
    clean = person.volume()
    acquisition = Acquisition.draw(rng)
    motion = Breathing.draw(rng).displacement(Behaviour.INTENSIVE, acquisition.times, 5, rng)
    spoilt, _ = MotionSimulator()(clean, person.spacing, motion, acquisition, rng)
    columns = np.arange(clean.shape[2]) - clean.shape[2] / 2
    share = 1 / (1 + np.exp(-columns / 4 * (1 if right else -1)))
    mixed = Volume(clean * (1 - share) + spoilt.numpy() * share, person.spacing)
    found = relevance(assessor, mixed)[0]
    inside = (found * share).sum(axis=(1, 2)) / found.sum(axis=(1, 2))
    assert np.median(inside) > 0.7
