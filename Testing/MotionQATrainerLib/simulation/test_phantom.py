import nibabel
import numpy as np
import pytest

from MotionQATrainerLib.simulation.phantom import ES_PHASE, Phantom, contraction, write_nifti

RIGHT, MYOCARDIUM, LEFT = 1, 2, 3


@pytest.fixture(scope="module")
def person():
    return Phantom(seed=3, n_slices=8)


def areas(mask):
    return [np.sum(mask == label, axis=(1, 2)) for label in (RIGHT, MYOCARDIUM, LEFT)]


def test_the_same_seed_is_the_same_person_and_another_seed_another():
    images = Phantom(seed=5, n_slices=2).volume()
    np.testing.assert_array_equal(images, Phantom(seed=5, n_slices=2).volume())
    other = Phantom(seed=6, n_slices=2).volume()
    assert np.abs(images - other).mean() > 0.1 * images.mean()


def test_both_ventricles_empty_in_systole_and_the_wall_thickens(person):
    right, wall, left = areas(person.heart_mask())
    right_es, wall_es, left_es = areas(person.heart_mask(ES_PHASE))
    assert np.all(left_es < left)
    assert right_es.sum() < right.sum()
    assert np.all(wall_es >= 0.98 * wall)
    ejection_fraction = 1 - left_es.sum() / left.sum()
    assert 0.4 < ejection_fraction < 0.8


def test_the_heart_tapers_from_base_to_apex(person):
    right, wall, left = areas(person.heart_mask())
    assert left[-1] < 0.6 * left[2]
    assert (wall + left)[-1] < 0.6 * (wall + left)[2]
    assert right[-1] < 0.2 * right[2]


def test_contrast_is_that_of_balanced_ssfp(person):
    image, mask = person.volume()[3], person.heart_mask()[3]
    assert image.dtype == np.float32
    blood, muscle = np.median(image[mask == LEFT]), np.median(image[mask == MYOCARDIUM])
    air = np.median(image[:8, :8])
    assert 2.5 < blood / muscle < 5
    assert air < 0.1 * muscle
    assert image.min() >= 0 and 200 < image.max() < 1200


def test_papillary_muscles_darken_the_left_cavity(person):
    image, mask = person.volume()[4], person.heart_mask()[4]
    blood = np.median(image[mask == LEFT])
    dark = np.mean(image[mask == LEFT] < 0.6 * blood)
    assert 0.03 < dark < 0.35


def test_noise_is_rician_and_can_be_switched_off():
    silent = Phantom(seed=1, n_slices=1, noise=0.0).volume()[0, :8, :8]
    noisy = Phantom(seed=1, n_slices=1, noise=0.05).volume()[0, :40, :20]
    assert silent.max() < 1.0
    assert noisy.mean() / noisy.std() == pytest.approx(1.91, abs=0.25)  # of a Rayleigh law


def test_anatomy_is_in_millimetres():
    coarse = Phantom(seed=2, n_slices=3, shape=(160, 160), spacing=(8.0, 2.0, 2.0))
    fine = Phantom(seed=2, n_slices=3, shape=(320, 400), spacing=(8.0, 0.8, 1.0))
    on_coarse, on_fine = (np.sum(p.heart_mask() == LEFT) for p in (coarse, fine))
    assert on_fine * 0.8 == pytest.approx(on_coarse * 4.0, rel=0.03)


def test_the_heart_lies_near_the_middle_of_the_image():
    for seed in range(5):
        mask = Phantom(seed=seed, n_slices=3).heart_mask()
        centre = np.argwhere(mask > 0).mean(axis=0)[1:]
        off = (centre - (np.array(mask.shape[1:]) - 1) / 2) * 1.4
        assert np.hypot(*off) < 30


def test_a_cine_beats_once(person):
    cine = Phantom(seed=3, n_slices=1, noise=0.0).cine(6)
    assert cine.shape == (6, 1, 216, 256)
    change = np.abs(cine - cine[0]).mean(axis=(1, 2, 3))
    assert np.argmax(change) == 2
    assert contraction(0) == contraction(1) == 0
    assert contraction(ES_PHASE) == 1


def test_files_have_the_axes_and_spacing_of_acdc(tmp_path):
    small = Phantom(seed=0, n_slices=3, shape=(64, 80), spacing=(9.0, 3.0, 4.0))
    image = nibabel.load(small.save(tmp_path / "one" / "p.nii.gz"))
    assert image.shape == (80, 64, 3)
    np.testing.assert_allclose(image.header.get_zooms(), (4.0, 3.0, 9.0))
    stored = np.asarray(image.dataobj).T
    np.testing.assert_allclose(stored, small.volume(), atol=0.5001)
    cine = nibabel.load(small.save(tmp_path / "cine.nii.gz", n_frames=2))
    assert cine.shape == (80, 64, 3, 2)


def test_float_images_can_be_written_as_they_are(tmp_path):
    images = Phantom(seed=0, n_slices=2, shape=(32, 32)).volume()
    path = write_nifti(tmp_path / "f.nii", images, (8.0, 1.4, 1.4), dtype="float32")
    np.testing.assert_array_equal(np.asarray(nibabel.load(path).dataobj).T, images)
