from dataclasses import fields

import pytest
import torch

from MotionQATrainerLib.data.augmentation import Augmentation

OFF = {field.name: 0.0 for field in fields(Augmentation)} | {"coarsest": 1.0}


def crops(n=64, side=96):
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    spot = torch.exp(-((rows - 30.0) ** 2 + (columns - 50.0) ** 2) / 80)
    return (100 * spot + 5).expand(n, side, side).clone()


def run(seed=0, n=64, size=64, **settings):
    generator = torch.Generator().manual_seed(seed)
    return Augmentation(**(OFF | settings))(crops(n), size, generator)


def test_shape_dtype_and_repeatability():
    generator = torch.Generator()
    images = Augmentation()(crops().half(), 64, generator.manual_seed(1))
    again = Augmentation()(crops().half(), 64, generator.manual_seed(1))
    other = Augmentation()(crops().half(), 64, generator.manual_seed(2))
    assert images.shape == (64, 64, 64) and images.dtype == torch.float32
    assert torch.isfinite(images).all()
    assert torch.equal(images, again) and not torch.equal(images, other)


def test_switched_off_only_the_eight_orientations_are_left():
    plain = crops(1)[0, 16:80, 16:80] / crops(1)[0, 16:80, 16:80].max()
    orientations = [torch.rot90(image, k) for image in (plain, plain.flip(1)) for k in range(4)]
    seen = set()
    for image in run():
        errors = [float((image - o).abs().max()) for o in orientations]
        assert min(errors) < 0.02
        seen.add(errors.index(min(errors)))
    assert seen == set(range(8))


def centroids(images):
    images = images - images.flatten(1).amin(1)[:, None, None]
    place = torch.arange(images.shape[-1], dtype=torch.float32)
    mass = images.sum((1, 2))
    return torch.stack([(images.sum(2) @ place) / mass, (images.sum(1) @ place) / mass], dim=1)


def test_shift_moves_by_at_most_what_is_asked():
    centred = Augmentation(**(OFF | {"shift": 6.0}))
    spot = torch.zeros(200, 96, 96)
    spot[:, 46:50, 46:50] = 1.0
    moved = centroids(centred(spot, 64, torch.Generator().manual_seed(0))) - 31.5
    assert 4 < moved.abs().max() < 6.6


def test_the_coarser_matrix_loses_detail_and_keeps_the_mean():
    noise = torch.rand(32, 96, 96, generator=torch.Generator().manual_seed(0))
    settings = OFF | {"blur": 1.0, "coarsest": 2.0}
    sharp = Augmentation(**OFF)(noise, 64, torch.Generator().manual_seed(3))
    coarse = Augmentation(**settings)(noise, 64, torch.Generator().manual_seed(3))
    rough = [image.diff(dim=1).abs().mean(dim=(1, 2)) for image in (sharp, coarse)]
    assert (rough[1] < rough[0] * 1.02).all() and rough[1].mean() < 0.9 * rough[0].mean()


def test_a_narrow_field_of_view_is_black_on_two_sides():
    images = run(frame=1.0)
    rows = (images.amax(2) == 0).sum(1)
    columns = (images.amax(1) == 0).sum(1)
    assert ((rows > 0) ^ (columns > 0)).all()


@pytest.mark.parametrize("name", ["gamma", "shading", "noise"])
def test_contrast_shading_and_noise_change_values_and_not_places(name):
    changed, plain = run(**{name: 0.4}), run()
    assert (changed - plain).abs().mean() > 0.003
    flat = [image.flatten(1) - image.flatten(1).mean(1, keepdim=True) for image in (changed, plain)]
    alike = torch.cosine_similarity(*flat)
    assert alike.median() > 0.8
