from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from MotionQATrainerLib.simulation.simulator import (
    Acquisition,
    MotionSimulator,
    Nuisance,
    Ordering,
    smooth_phase,
)

SPACING = (10.0, 2.5, 2.5)


@pytest.fixture(scope="module")
def stack(phantom):
    return phantom.volume(0.0)


@pytest.fixture
def simulate(stack):
    def run(displacement, acquisition=None, seed=0, **options):
        acquisition = acquisition or Acquisition()
        if np.isscalar(displacement):
            wave = np.sin(np.arange(acquisition.heartbeats) * 1.7)
            displacement = displacement * np.tile(wave, (len(stack), 1))
        return MotionSimulator()(
            stack, SPACING, displacement, acquisition, np.random.default_rng(seed), **options
        )

    return run


@pytest.mark.parametrize("ordering", Ordering)
@pytest.mark.parametrize("phase_axis", [0, 1])
def test_without_motion_the_slices_come_back(simulate, stack, ordering, phase_axis):
    images, similarity = simulate(0.0, Acquisition(ordering=ordering, phase_axis=phase_axis))
    assert np.allclose(images.numpy(), stack, atol=1e-3 * stack.max())
    assert similarity.numpy() == pytest.approx(1.0, abs=1e-3)


def test_a_heart_that_has_moved_but_stays_is_no_artefact(simulate, stack):
    images, _ = simulate(np.full((len(stack), 10), 6.0))
    assert np.allclose(images.numpy(), stack, atol=1e-3 * stack.max())


def test_more_motion_is_less_similar(simulate):
    means = [float(simulate(amplitude)[1].mean()) for amplitude in (0, 0.5, 1, 2, 4, 8)]
    assert all(a > b for a, b in pairwise(means))
    assert means[0] > 0.99 and means[-1] < 0.75


@pytest.mark.parametrize("phase_axis", [0, 1])
def test_interleaved_lines_ghost_along_phase_encoding_only(phase_axis):
    """A small bright spot that moves leaves copies in its own row or column, and nowhere else."""
    stack = np.zeros((1, 96, 96), dtype=np.float32)
    stack[0, 46:50, 46:50] = 100
    acquisition = Acquisition(heartbeats=8, phase_axis=phase_axis, through_plane=0.0, chest=1.0)
    wave = 4 * np.sin(np.arange(8) * 1.7)[None]
    images, _ = MotionSimulator()(stack, SPACING, wave, acquisition, np.random.default_rng(0))
    along = images[0].numpy() if phase_axis == 0 else images[0].numpy().T
    assert along[:30, 42:54].max() > 3
    assert along[:, :30].max() < 1e-3


def test_block_ordering_blurs_where_interleaving_ghosts(stack):
    """Far from the heart, along phase encoding, interleaving leaves more signal in the air."""
    spot = np.zeros((1, 96, 96), dtype=np.float32)
    spot[0, 44:52, 44:52] = 100
    wave = 4 * np.sin(np.arange(8) * 0.8)[None]
    far = {}
    for ordering in (Ordering.BLOCK, Ordering.INTERLEAVED):
        acquisition = Acquisition(heartbeats=8, ordering=ordering, through_plane=0.0)
        images, _ = MotionSimulator()(spot, SPACING, wave, acquisition, np.random.default_rng(0))
        far[ordering] = images[0, :24, 44:52].mean()
    assert far[Ordering.INTERLEAVED] > 2 * far[Ordering.BLOCK]


def test_the_chest_wall_moves_less_than_the_heart(simulate, stack):
    images, _ = simulate(4.0, Acquisition(chest=0.0, through_plane=0.0, ordering=Ordering.BLOCK))
    change = np.abs(images.numpy() - stack)
    rows, columns = np.indices(stack.shape[1:])
    distance = np.hypot(rows - 47.5, columns - 55.5) * 2.5
    assert change[:, distance < 50].mean() > 5 * change[:, distance > 125].mean()


def test_through_plane_motion_mixes_in_the_neighbour():
    stack = np.zeros((3, 64, 64), dtype=np.float32)
    stack[2, 24:40, 24:40] = 100
    motion = np.tile([8.0, 0.0], 5)[None].repeat(3, axis=0)
    acquisition = Acquisition(through_plane=0.5, ordering=Ordering.BLOCK)
    up, _ = MotionSimulator()(stack, SPACING, motion, acquisition, np.random.default_rng(0))
    acquisition = replace(acquisition, through_plane=-0.5)
    down, _ = MotionSimulator()(stack, SPACING, motion, acquisition, np.random.default_rng(0))
    assert up[1].max() > 5
    assert down[1].max() < 1e-3


def test_the_seed_repeats_everything(simulate):
    nuisance = Nuisance(noise=0.05, jitter=0.2)
    first, second, other = (simulate(2.0, seed=s, nuisance=nuisance)[0] for s in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_nuisances_change_the_images_and_not_the_label(simulate, stack):
    plain, similarity = simulate(2.0)
    for nuisance in (
        Nuisance(noise=0.1), Nuisance(jitter=0.5), Nuisance(mistriggered=0.5, late_beats=2),
        Nuisance(partial_fourier=0.7), Nuisance(blur=1.0), Nuisance(truncation=0.6),
        Nuisance(bands=0.6), Nuisance(bias=0.5), Nuisance(ghost=0.2), Nuisance(wrap=0.1),
    ):  # fmt: skip
        images, same = simulate(2.0, nuisance=nuisance, other_phase=stack[:, ::-1].copy())
        assert torch.equal(same, similarity)
        assert (images - plain).abs().mean() > 0.001 * plain.mean()


def test_displacement_of_another_shape_is_refused(simulate):
    with pytest.raises(ValueError, match="heartbeat"):
        simulate(np.zeros((2, 10)))


def test_the_phase_is_smooth_and_leaves_the_magnitude(rng):
    phase = smooth_phase((64, 80), rng)
    assert phase.abs().numpy() == pytest.approx(1.0)
    step = torch.angle(phase[1:] * phase[:-1].conj()).abs()
    assert step.max() < 0.5


def test_orderings_share_the_lines_evenly(rng):
    for ordering in Ordering:
        owner = ordering.heartbeat_of_line(99, 9, rng)
        assert np.bincount(owner, minlength=9).tolist() == [11] * 9


@pytest.mark.parametrize("heartbeats", range(6, 16))
def test_the_middle_of_k_space_lies_within_a_block(rng, heartbeats):
    """On a seam between two heartbeats, the image would be half of one and half of the other."""
    for ordering in (Ordering.BLOCK, Ordering.REVERSED):
        owner = ordering.heartbeat_of_line(192, heartbeats, rng)
        assert len(set(owner[96 - 4 : 96 + 4])) == 1
        assert np.bincount(owner, minlength=heartbeats).min() >= 192 // heartbeats // 2
        assert (np.diff(owner) >= 0).all() or (np.diff(owner) <= 0).all()


def test_centric_lines_go_outwards_from_the_middle(rng):
    owner = Ordering.CENTRIC.heartbeat_of_line(100, 10, rng)
    assert owner[50] == 0 and owner[0] == owner[99] == 9
    assert (np.diff(owner[50:]) >= 0).all()


@pytest.mark.parametrize("coils", [2, 4])
def test_coils_together_see_all_places_alike(simulate, stack, coils):
    still, _ = simulate(0.0, Acquisition(coils=coils))
    assert np.allclose(still.numpy(), stack, atol=1e-3 * stack.max())
    one, several = (simulate(4.0, Acquisition(coils=n))[0] for n in (1, coils))
    assert (one - several).abs().mean() > 0.001 * one.mean()


def test_protocols_are_drawn_within_the_design(rng):
    for _ in range(200):
        drawn = Acquisition.draw(rng)
        assert 8 <= drawn.heartbeats <= 14 and 0.75 <= drawn.rr <= 1.1
        assert 0.27 <= abs(drawn.through_plane) <= 0.52
        assert drawn.ordering in (Ordering.INTERLEAVED, Ordering.BLOCK)
    for setting in ({"wide": True}, {"check": True}):
        seen = {Acquisition.draw(rng, **setting).ordering for _ in range(200)}
        assert seen == set(Ordering)
