import numpy as np
import pytest
import torch

from MotionQATrainerLib.simulation import nuisances
from MotionQATrainerLib.simulation.nuisances import Nuisance


@pytest.fixture(scope="module")
def stack(phantom):
    return torch.from_numpy(phantom.volume()[:2])


def test_typical_volumes_have_few_and_wide_ones_all_kinds(rng):
    typical = [Nuisance.draw(rng) for _ in range(100)]
    assert all(n.blur == 0 and n.pixel is None and n.partial_fourier == 1 for n in typical)
    wide = [Nuisance.draw(rng, wide=True) for _ in range(300)]
    plain = Nuisance()
    for name in ("noise", "mistriggered", "jitter", "partial_fourier", "blur", "truncation",
                 "pixel", "bands", "bias", "ghost", "wrap"):  # fmt: skip
        share = np.mean([getattr(n, name) != getattr(plain, name) for n in wide])
        assert 0.03 < share < 0.7, name


def test_coarse_pixels_show_the_same_field_of_view(stack):
    coarse, spacing = nuisances.coarsened(stack, (2.5, 2.5), 4.0)
    assert spacing == (4.0, 4.0)
    assert coarse.shape[1:] == (round(stack.shape[1] * 2.5 / 4), round(stack.shape[2] * 2.5 / 4))
    assert float(coarse.mean()) == pytest.approx(float(stack.mean()), rel=0.03)


def test_blur_and_truncation_take_detail_and_keep_the_mean(stack):
    detail = stack.diff(dim=2).abs().mean()
    for spoilt in (nuisances.blurred(stack, 1.0), nuisances.truncated(stack, 0.5)):
        assert spoilt.diff(dim=2).abs().mean() < 0.9 * detail
        assert float(spoilt.mean()) == pytest.approx(float(stack.mean()), rel=0.05)


def test_what_wraps_is_seen_on_the_other_side():
    image = torch.zeros(1, 40, 60)
    image[0, 1, 30] = 1.0
    whole = nuisances.wrapped(image, 0, 0.2)
    assert whole[0, 33, 30] == 1.0 and whole.sum() == 1.0
    assert whole[0, :4].sum() == 0


def test_a_ghost_repeats_along_phase_encoding_only(stack):
    rng = np.random.default_rng(0)
    ghosts = nuisances.flow_ghost(stack, (2.5, 2.5), 0, (47.0, 55.0), 0.2, rng) - stack
    columns = (ghosts.abs().amax(dim=(0, 1)) > 1).nonzero().flatten()
    assert len(columns) and int(columns.max() - columns.min()) * 2.5 < 40
