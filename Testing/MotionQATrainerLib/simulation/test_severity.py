import numpy as np
import pytest
import torch

from MotionQATrainerLib.simulation.severity import (
    CURRENT,
    VERSIONS,
    heart_region,
    score_of_similarity,
    structural_similarity,
    translated,
    translation,
)


def test_structural_similarity_is_that_of_the_literature():
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    generator = np.random.default_rng(0)
    clean = generator.random((40, 50)).astype(np.float32)
    spoilt = clean + 0.1 * generator.standard_normal(clean.shape).astype(np.float32)
    bright = np.sort(clean.ravel())[round(0.99 * clean.size) - 1]
    expected = skimage.structural_similarity(
        spoilt / bright, clean / bright, data_range=1.0, win_size=7, full=True
    )[1][3:-3, 3:-3].mean()
    found = structural_similarity(torch.from_numpy(spoilt)[None], torch.from_numpy(clean)[None])
    assert float(found[0]) == pytest.approx(expected, abs=1e-4)


def test_structural_similarity_of_an_image_with_itself_is_one():
    image = torch.rand(3, 30, 30)
    assert structural_similarity(image, image).numpy() == pytest.approx(1.0, abs=1e-4)
    assert (structural_similarity(1 - image, image) < 0.2).all()


def test_the_heart_region_is_128_mm_and_stays_within_the_image():
    rows, columns = heart_region((256, 256), (1.0, 2.0), (128, 128))
    assert rows.stop - rows.start == pytest.approx(128, abs=2)
    assert columns.stop - columns.start == pytest.approx(64, abs=2)
    rows, columns = heart_region((60, 60), (2.0, 2.0), (0, 59))
    assert 0 <= rows.start < rows.stop <= 60 and 0 <= columns.start < columns.stop <= 60


def test_scores_follow_the_limits():
    similarity = np.array([0.0, 0.579, 0.58, 0.729, 0.73, 0.909, 0.91, 0.969, 0.97, 1.0])
    assert score_of_similarity(similarity).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    similarity = np.array([0.0, 0.499, 0.5, 0.659, 0.66, 0.879, 0.88, 0.959, 0.96, 1.0])
    assert VERSIONS[1].scores(similarity).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_slice_that_is_only_shifted_is_mild():
    """Nobody can tell it from an unmoved one; version 1 called it severe."""
    from MotionQATrainerLib.simulation.phantom import Phantom

    stack = torch.from_numpy(Phantom(4, 2, spacing=(8.0, 1.4, 1.4)).volume())
    moved = translated(stack, torch.tensor([[5.3, -3.4]]).expand(len(stack), 2))
    centre = tuple((n - 1) / 2 for n in stack.shape[1:])
    old, new = (
        label.scores(label.similarity(moved, stack, (1.4, 1.4), centre).numpy())
        for label in VERSIONS.values()
    )
    assert (new >= 4).all() and (old <= 2).all()


def test_the_translation_is_found_to_a_fraction_of_a_pixel(phantom):
    stack = torch.from_numpy(phantom.volume())
    shift = torch.tensor([[0.0, 0.0], [2.37, -1.81], [-4.5, 3.25], [0.4, 6.1]])
    found = translation(translated(stack, -shift), stack, farthest=8)
    assert (found - shift).abs().max() < 0.1


def test_motion_is_as_bad_whatever_the_pixels():
    """The same corrupted slice on a finer grid has the same label."""
    from MotionQATrainerLib.simulation.phantom import Phantom

    stack = torch.from_numpy(Phantom(seed=4, n_slices=2, spacing=(8.0, 1.35, 1.35)).volume())
    spoilt = (stack + stack.roll(9, 1)) / 2
    centre = tuple((n - 1) / 2 for n in stack.shape[1:])
    found = [CURRENT.similarity(spoilt, stack, (1.35, 1.35), centre)]
    fine = [torch.nn.functional.interpolate(x[:, None], scale_factor=2, mode="bicubic")[:, 0]
            for x in (spoilt, stack)]  # fmt: skip
    middle = tuple((n - 1) / 2 for n in fine[0].shape[1:])
    found.append(CURRENT.similarity(*fine, (0.675, 0.675), middle))
    assert found[0].max() < 0.9
    assert found[1].numpy() == pytest.approx(found[0].numpy(), abs=0.02)
