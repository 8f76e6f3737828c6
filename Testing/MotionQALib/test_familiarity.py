"""What a network was not trained for is said beside its grades."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from MotionQALib import checkpoints
from MotionQALib.assessment import Assessor
from MotionQALib.checkpoints import CheckpointError
from MotionQALib.familiarity import (
    REMARK,
    Familiarity,
    FeatureTap,
    unfamiliar_in_words,
    unfamiliar_named,
)
from MotionQALib.heart_centre import heart_centre
from MotionQALib.scale import is_uncertain
from MotionQALib.volumes import Volume


@pytest.fixture(scope="module")
def knowing(checkpoint_file, phantom, tmp_path_factory):
    """The random checkpoint, to which all is unfamiliar that lies far from the phantom's."""
    card, model = checkpoints.load(checkpoint_file)
    tap = FeatureTap(model)
    volume = Volume(phantom.volume(), phantom.spacing)
    centre = heart_centre(volume, card.network_input.locator)
    with torch.inference_mode():
        model(card.network_input(torch.from_numpy(volume.voxels[0]), (2.5, 2.5), centre))
    tap.remove()
    familiarity = Familiarity(tap.features.shape[1], 2)
    familiarity.mean.copy_(tap.features.mean(0))
    familiarity.weight[-1] = 1.0  # the length of what the axes leave
    lengths = familiarity.measures(tap.features)[:, -1]
    familiarity.bias.fill_(-1.05 * float(lengths.max()))
    model.familiarity = familiarity
    path = tmp_path_factory.mktemp("knowing") / "knowing.safetensors"
    checkpoints.save(path, model, replace(card, name="knowing"))
    return path


def test_strange_slices_are_named_and_familiar_ones_are_not(knowing, phantom):
    assessor = Assessor(knowing, device="cpu", precision="fp32")
    assert assessor.detects_out_of_distribution
    images = phantom.volume()
    known = assessor.assess(Volume(images, phantom.spacing, "known"))
    assert known.remarks == ()
    noise = 400 * np.random.default_rng(0).random(images.shape, dtype=np.float32)
    unfamiliar = assessor.assess(Volume(noise, phantom.spacing, "noise"))
    assert unfamiliar.remarks == (f"{REMARK}: do not rely on its grades.",)


def test_single_strange_slices_are_named():
    unfamiliar = np.array([-1.0, 2.0, -3.0, -1.0, 0.5, -2.0] * 2)
    assert unfamiliar_in_words(unfamiliar, 6) == (f"{REMARK} in slices 1, 4.",)
    assert unfamiliar_in_words(-np.abs(unfamiliar), 6) == ()
    unfamiliar[:6] = -1  # unfamiliar in half of the frames
    assert unfamiliar_in_words(unfamiliar, 6) == (f"{REMARK} in slices 1, 4.",)
    blank = np.full((10, 6), np.nan)
    blank[:4, 2] = 1.0  # a slice of which 4 of 10 frames are there
    assert unfamiliar_in_words(blank, 6) == (f"{REMARK}: do not rely on its grades.",)
    blank[:4, :2] = -1.0
    assert unfamiliar_in_words(blank, 6) == (f"{REMARK} in slice 2.",)
    assert unfamiliar_in_words(np.ones(12), 6) == (f"{REMARK}: do not rely on its grades.",)


def test_an_odd_slice_of_a_stack_is_named_only_where_it_is_far_off():
    stack = np.full(10, -4.0)
    stack[[0, 9]] = 1.0  # base and apex of a real heart
    assert unfamiliar_in_words(stack, 10) == ()
    stack[9] = 12.0
    assert unfamiliar_in_words(stack, 10) == (f"{REMARK} in slice 9.",)
    stack[[1, 2]] = 1.0  # four of ten are no accident
    assert unfamiliar_in_words(stack, 10) == (f"{REMARK} in slices 0, 1, 2, 9.",)


def test_a_remark_names_the_slices_that_it_is_about():
    texts = (f"{REMARK} in slices 0, 7.", f"{REMARK} in slice 3.", "Out of memory.",
             f"{REMARK}: do not rely on its grades.")  # fmt: skip
    assert list(unfamiliar_named(texts, 2)) == [[0, 7], [3], [0, 1]]


def test_a_checkpoint_without_it_tells_nothing(checkpoint_file, phantom):
    assessor = Assessor(checkpoint_file, device="cpu", precision="fp32")
    assert not assessor.detects_out_of_distribution
    noise = np.random.default_rng(0).random((2, 64, 64), dtype=np.float32)
    assert assessor.assess(Volume(noise, phantom.spacing, "noise")).remarks == ()


def test_it_changes_no_grade(knowing, checkpoint_file, phantom):
    volume = Volume(phantom.volume(), phantom.spacing, "known")
    with_it, without = (
        Assessor(path, device="cpu", precision="fp32").assess(volume).probabilities
        for path in (knowing, checkpoint_file)
    )
    np.testing.assert_allclose(with_it, without, atol=1e-6)


def test_tensors_that_do_not_fit_are_refused(knowing, tmp_path):
    from safetensors.torch import load_file, save_file

    tensors = load_file(str(knowing))
    tensors["familiarity.mean"] = tensors["familiarity.mean"][:-1].clone()
    card = checkpoints.read_card(knowing)
    path = tmp_path / "damaged.safetensors"
    save_file(tensors, str(path), {checkpoints.METADATA_KEY: card.to_json()})
    with pytest.raises(CheckpointError, match="familiarity"):
        checkpoints.load(path)


def test_a_probable_severe_one_is_uncertain_though_another_grade_is_likely():
    p = np.array(
        [[[0.1, 0.15, 0.7, 0.05, 0.0], [0.0, 0.02, 0.8, 0.18, 0.0], [0.6, 0.3, 0.1, 0, 0]]]
    )
    assert is_uncertain(p, 0.5).tolist() == [[False, False, False]]
    assert is_uncertain(p, 0.5, 0.2).tolist() == [[True, False, False]]
    assert is_uncertain(p[0, 0], 0.25).item() is True


def test_volumes_have_thresholds_of_their_own(checkpoint_file, phantom, tmp_path):
    card, model = checkpoints.load(checkpoint_file)
    card = replace(card, uncertain_above=1e-6, volume_uncertain_above=0.999)
    checkpoints.save(tmp_path / "c.safetensors", model, card)
    graded = Assessor(tmp_path / "c.safetensors", device="cpu").assess(
        Volume(phantom.volume(), phantom.spacing, "known")
    )
    assert graded.uncertain.all() and not graded.volume_uncertain
