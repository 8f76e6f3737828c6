import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from MotionQATrainerLib.evaluation.quality import quality_features


def scenes(n=6, side=96, seed=0):
    """Discs of random place and brightness on a dark background."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    images = np.zeros((n, side, side), np.float32)
    for image in images:
        for _ in range(8):
            row, column = rng.uniform(0.25 * side, 0.75 * side, 2)
            disc = np.hypot(rows - row, columns - column) < rng.uniform(4, 14)
            image[disc] = rng.uniform(0.3, 1)
        image += rng.normal(0, 0.01, image.shape)
    return images


def measured(images):
    features, names = quality_features(images)
    assert features.shape == (len(images), len(names)) and len(set(names)) == len(names)
    return dict(zip(names, features.T, strict=True))


CLEAN = measured(scenes())


def test_blur_lowers_sharpness():
    blurred = measured(gaussian_filter(scenes(), (0, 2, 2)))
    for name in ("Tenengrad", "Laplacian variance", "mean frequency", "energy in the corners"):
        assert (blurred[name] < CLEAN[name]).all(), name
    for axis in ("rows", "columns"):
        assert (
            blurred[f"gradient energy along {axis}"] < CLEAN[f"gradient energy along {axis}"]
        ).all()
        name = f"energy along {axis}, 0.5 to 1"
        assert (blurred[name] < CLEAN[name] - 1).all()
        name = f"correlation width along {axis}"
        assert (blurred[name] >= CLEAN[name]).all()


def test_blur_along_one_axis_is_told_apart():
    down = measured(gaussian_filter1d(scenes(), 2, axis=1))
    across = measured(gaussian_filter1d(scenes(), 2, axis=2))
    assert (down["gradient anisotropy"] < CLEAN["gradient anisotropy"] - 0.5).all()
    assert (across["gradient anisotropy"] > CLEAN["gradient anisotropy"] + 0.5).all()


def test_ghosts_show_in_the_background_and_the_autocorrelation():
    images = scenes()
    ghosted = images + 0.15 * np.roll(images, 30, axis=1) + 0.15 * np.roll(images, -30, axis=1)
    found = measured(ghosted)
    name = "ghost lobe along rows"
    assert (found[name] > CLEAN[name]).all() and found[name].mean() > CLEAN[name].mean() + 0.05
    assert (found["background share"] < CLEAN["background share"]).all()


def test_noise_is_measured_in_its_own_unit():
    rng = np.random.default_rng(3)
    noisy = scenes() + rng.normal(0, 0.05, (6, 96, 96)).astype(np.float32)
    assert measured(noisy)["noise"] == pytest.approx(np.hypot(0.05, 0.01), rel=0.1)
    assert (measured(noisy)["log SNR"] < CLEAN["log SNR"]).all()


def test_brightness_and_contrast_do_not_matter_to_sharpness():
    brighter = measured(scenes() * 3 + 2)
    for name in ("Tenengrad", "entropy", "mean frequency", "ghost lobe along columns", "skewness"):
        assert brighter[name] == pytest.approx(CLEAN[name], rel=0.02, abs=1e-4), name


def test_batches_do_not_change_a_slice():
    images = scenes(n=70, side=32)
    assert np.allclose(quality_features(images)[0][-3:], quality_features(images[-3:])[0])


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_constant_images_give_numbers(value):
    features, _ = quality_features(np.full((2, 32, 32), value, np.float16))
    assert np.isfinite(features).all()


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="size, size"):
        quality_features(np.zeros((2, 1, 32, 32)))
