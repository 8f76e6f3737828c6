import numpy as np
import pytest
import torch

from MotionQATrainerLib.simulation.severity import (
    heart_region,
    score_of_similarity,
    structural_similarity,
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
    similarity = np.array([0.0, 0.499, 0.5, 0.659, 0.66, 0.879, 0.88, 0.959, 0.96, 1.0])
    assert score_of_similarity(similarity).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
