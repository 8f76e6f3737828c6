import numpy as np
import pytest
import torch

from MotionQALib.preprocessing import Preprocessing, resampling_matrix


def blob(shape, spacing, centre_mm, width_mm=15.0):
    """A smooth bright spot at a place given in mm from the image's centre."""
    rows, columns = (
        (torch.arange(length) - (length - 1) / 2) * step
        for length, step in zip(shape, spacing, strict=True)
    )
    square = (rows[:, None] - centre_mm[0]) ** 2 + (columns[None, :] - centre_mm[1]) ** 2
    return torch.exp(-square / (2 * width_mm**2))[None]


@pytest.mark.parametrize("spacing", [(0.7, 0.7), (1.4, 1.4), (1.8, 1.8), (1.1, 1.6)])
@pytest.mark.parametrize("shape", [(256, 256), (301, 240)])
def test_a_structure_lands_at_its_place_in_mm_whatever_the_matrix(shape, spacing):
    settings = Preprocessing(spacing=1.25, size=160)
    crop = settings.resample(blob(shape, spacing, (20.0, -30.0)), spacing)[0]
    expected = blob((160, 160), (1.25, 1.25), (20.0, -30.0))[0]
    covered = crop > 0  # a small field of view leaves the crop's rim empty
    assert torch.allclose(crop[covered], expected[covered], atol=0.01)


def test_shrinking_does_not_alias():
    stripes = torch.zeros(1, 256, 256)
    stripes[:, :, ::2] = 1.0  # finer than the new pixels can show
    crop = Preprocessing(spacing=2.0, size=64).resample(stripes, (0.7, 0.7))
    assert crop[0, 16:48, 16:48].std() < 0.05
    assert crop[0, 16:48, 16:48].mean() == pytest.approx(0.5, abs=0.02)


def test_outside_the_image_is_its_lowest_value():
    image = torch.full((1, 100, 100), 7.0)
    image[0, 50, 50] = 5.0
    crop = Preprocessing(spacing=1.0, size=200).resample(image, (1.0, 1.0))
    assert crop[0, 0, 0] == 5
    assert crop[0, 60, 60] == pytest.approx(7.0, abs=1e-3)


@pytest.mark.parametrize("factor, offset", [(7.0, 0.0), (0.001, 0.0), (1.0, 500.0)])
def test_brightness_and_offset_of_the_scanner_do_not_matter(factor, offset):
    image = torch.rand(2, 200, 200, generator=torch.Generator().manual_seed(0)) * 100
    settings = Preprocessing()
    plain = settings(image, (1.2, 1.2))
    assert torch.allclose(settings(image * factor + offset, (1.2, 1.2)), plain, atol=2e-3)


def test_the_dtype_of_the_file_does_not_matter():
    image = (torch.rand(1, 180, 200) * 1000).round()
    settings = Preprocessing()
    for dtype in (torch.int16, torch.uint8, torch.float64, torch.int32):
        source = image.clamp_max(255) if dtype is torch.uint8 else image
        assert torch.equal(
            settings(source.to(dtype), (1.4, 1.4)), settings(source.float(), (1.4, 1.4))
        )


def test_a_constant_crop_gives_finite_input():
    assert torch.isfinite(Preprocessing()(torch.ones(1, 200, 200), (1.4, 1.4))).all()


@pytest.mark.parametrize("centre", [None, (80.0, 130.0)])
def test_restore_undoes_resample(centre):
    settings = Preprocessing(spacing=1.25, size=160)
    image = blob((216, 256), (1.4, 1.4), (-10.0, 15.0))
    back = settings.restore(
        settings.resample(image, (1.4, 1.4), centre), (216, 256), (1.4, 1.4), centre
    )
    assert back.shape == image.shape
    assert torch.allclose(back[:, 70:130, 90:170], image[:, 70:130, 90:170], atol=0.01)


def test_restore_takes_a_coarser_map_over_the_same_field():
    settings = Preprocessing(spacing=1.25, size=160)
    coarse = torch.zeros(1, 5, 5)
    coarse[0, 2, 2] = 1.0
    back = settings.restore(coarse, (216, 256), (1.4, 1.4))
    row, column = divmod(int(back[0].argmax()), 256)
    assert abs(row - 107.5) <= 1 and abs(column - 127.5) <= 1


def test_rows_of_the_matrix_keep_the_mean():
    matrix, window = resampling_matrix(200, 1.4, 99.5, 100, 1.25)
    assert torch.allclose(matrix.sum(dim=1), torch.ones(100), atol=1e-5)
    assert 0 <= window.start < window.stop <= 200


@pytest.mark.parametrize(
    "settings",
    [{"spacing": 0}, {"size": 10}, {"size": 1.5}, {"low": 99, "high": 1}, {"spacing": np.nan}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError):
        Preprocessing(**settings)


def test_settings_travel_through_a_card():
    settings = Preprocessing(spacing=0.9, size=224)
    assert Preprocessing.from_dict(settings.to_dict()) == settings
    with pytest.raises(ValueError, match="sharpness"):
        Preprocessing.from_dict({"sharpness": 3})


@pytest.mark.parametrize("offset", [0.0, 500.0, -2000.0])
def test_pixels_outside_the_image_take_no_part_in_the_normalisation(offset):
    """A field of view under the crop's, whatever all values are offset by."""
    settings = Preprocessing(spacing=1.0, size=160)
    image = torch.rand(1, 100, 120, generator=torch.Generator().manual_seed(3)) * 900
    seen = settings(image + offset, (1.0, 1.0))[0, 0]
    rows, columns = settings.inside((100, 120), (1.0, 1.0))
    assert (rows, columns) == (slice(30, 130), slice(20, 140))
    alone = settings.normalise(image)[0]
    torch.testing.assert_close(seen[rows, columns], alone, atol=2e-3, rtol=0)
    assert (seen[0] == -2).all()
