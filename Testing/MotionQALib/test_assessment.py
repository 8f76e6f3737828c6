"""From a volume to its grades."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from MotionQALib import assessment, checkpoints, volumes
from MotionQALib.assessment import AssessmentError, Assessor, Cancelled, as_tensor
from MotionQALib.checkpoints import Card
from MotionQALib.devices import DeviceError, DeviceSetup
from MotionQALib.heart_centre import heart_centre
from MotionQALib.scale import GRADE_OF_SCORE, Grade, median_score, uncertainty
from MotionQALib.volume_rule import VolumeRule
from MotionQALib.volumes import Volume

CPU = torch.device("cpu")
CARD = Card(
    name="stub",
    title="A stub",
    backbone="tf_efficientnet_lite0",
    preprocessing={"spacing": 2.0, "size": 32},
    temperature=2.0,
    uncertain_above=0.5,
    notice="for tests",
)


class Stub(nn.Module):
    """Logits from a slice's own pixels; runs out of memory above ``room`` slices."""

    def __init__(self, room=10**6, no_autocast=False):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.room, self.no_autocast, self.batches = room, no_autocast, []

    def forward(self, images):
        if torch.is_autocast_enabled("cpu") and self.no_autocast:
            raise torch.OutOfMemoryError("CUDA out of memory")
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.batches.append(len(images))
        return images[:, 0, :30].reshape(len(images), 5, -1).mean(dim=2) * self.scale


@pytest.fixture
def volume(rng):
    """Two frames of seven slices, all different."""
    return Volume(rng.integers(0, 900, (2, 7, 40, 50), dtype=np.int16), (8.0, 1.5, 1.5), "heart")


def make(model, **options):
    options = {"device": "cpu", "precision": "fp32", **options}
    assessor = Assessor.of_model(CARD, model, **options)
    if isinstance(model, Stub):
        model.batches.clear()
    return assessor


@pytest.fixture(scope="module")
def assessor(checkpoint_file):
    return Assessor(checkpoint_file, device="cpu")


def test_numbers_agree_with_one_another(volume):
    result = make(Stub()).assess(volume)
    assert result.probabilities.shape == (2, 7, 5)
    np.testing.assert_allclose(result.probabilities.sum(-1), 1)
    np.testing.assert_allclose(result.volume_probabilities.sum(), 1)
    np.testing.assert_array_equal(result.scores, median_score(result.probabilities))
    np.testing.assert_array_equal(result.grades, GRADE_OF_SCORE[result.scores - 1])
    np.testing.assert_allclose(
        result.expected_scores, (result.probabilities * np.arange(1, 6)).sum(-1)
    )
    assert isinstance(result.volume_grade, Grade)
    assert (result.volume, result.checkpoint, result.notice) == ("heart", "stub", "for tests")


def test_temperature_and_rule_come_from_the_card(volume):
    model, centre = Stub(), heart_centre(volume)
    logits = torch.stack(
        [
            model(make(model).preprocessing(as_tensor(frame), (1.5, 1.5), centre)).detach()
            for frame in volume.voxels
        ]
    )
    rule = VolumeRule(edge_weight=0.25, slope=3.0, thresholds=(1.5, 2.5, 3.5, 4.5))
    card = replace(CARD, volume_rule=rule.to_dict())
    result = Assessor.of_model(card, model, device="cpu", precision="fp32").assess(volume)
    expected = torch.softmax(logits.double() / 2.0, dim=-1).numpy()
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)
    frames = np.mean([rule(frame) for frame in expected], axis=0)
    np.testing.assert_allclose(result.volume_probabilities, frames, atol=1e-6)


def test_batches_span_frames_and_progress_counts_slices(volume):
    model, seen = Stub(), []
    make(model, batch_size=4).assess(volume, progress=lambda *count: seen.append(count))
    assert model.batches == [4, 4, 4, 2]
    assert seen == [(4, 14), (8, 14), (12, 14), (14, 14)]


def test_batch_size_does_not_change_the_result(volume):
    results = [make(Stub(), batch_size=size).assess(volume) for size in (1, 5, 14)]
    for other in results[1:]:
        np.testing.assert_allclose(other.probabilities, results[0].probabilities, atol=1e-6)


def test_cancelled_between_batches(volume):
    model, seen = Stub(), []
    with pytest.raises(Cancelled, match="heart"):
        make(model, batch_size=3).assess(
            volume,
            progress=lambda done, total: seen.append(done),
            cancelled=lambda: len(seen) == 2,
        )
    assert seen == [3, 6]
    assert model.batches == [3, 3]


def test_memory_running_out_halves_the_batch_and_is_told(volume):
    model = Stub(room=3)
    whole = make(Stub()).assess(volume)
    assessor = make(model, batch_size=14)
    result = assessor.assess(volume)
    assert set(model.batches) == {3, 2}
    np.testing.assert_allclose(result.probabilities, whole.probabilities, atol=1e-6)
    assert result.remarks == ("Memory ran out: graded 3 slices at a time.",)
    assert assessor.assess(volume).remarks == ()  # and the next volume starts with what fitted
    assert whole.remarks == ()


def test_cpu_takes_over_when_one_slice_does_not_fit(volume):
    """The "GPU" is a CPU that uses autocast, in which the stub always runs out of memory."""
    model = Stub()
    assessor = make(model, precision="bf16")
    assessor.places = (*assessor.places, DeviceSetup(CPU, "fp32"))
    model.no_autocast = True
    result = assessor.assess(volume)
    assert result.remarks == ("Out of GPU memory: the CPU took over.",)
    assert result.precision == "fp32"
    assert assessor.device_reason == "CPU: the GPU ran out of memory."
    model.no_autocast = False  # the GPU's memory is free again for the next volume
    again = assessor.assess(volume)
    assert (again.precision, again.remarks) == ("bf16", ())


def test_no_memory_at_all_is_an_error_that_says_so(volume):
    model = Stub()
    assessor = make(model)
    model.room = 0
    with pytest.raises(AssessmentError, match="heart cannot be graded: memory runs out"):
        assessor.assess(volume)


def test_other_errors_are_not_taken_for_memory(volume):
    class Broken(Stub):
        def forward(self, images):
            raise RuntimeError("a bug")

    model = Stub()
    assessor = make(model)
    assessor.model = Broken()
    with pytest.raises(RuntimeError, match="a bug"):
        assessor.assess(volume)


class Overflowing(Stub):
    """No finite number for one slice; in 16 bits only, unless ``always``."""

    def __init__(self, always):
        super().__init__()
        self.always = always

    def forward(self, images):
        logits = super().forward(images)
        if self.always or torch.is_autocast_enabled("cpu"):
            logits[-1, 2] = torch.inf
        return logits


def test_output_that_is_no_number_names_the_slice(volume):
    with pytest.raises(AssessmentError, match=r"heart .* slice 6 .* stub"):
        make(Overflowing(always=True), batch_size=7).assess(volume)


def test_overflow_of_16_bits_is_computed_again_in_32(volume):
    result = make(Overflowing(always=False), precision="bf16").assess(volume)
    exact = make(Stub()).assess(volume)
    np.testing.assert_allclose(result.probabilities, exact.probabilities, atol=1e-6)


def test_uncertain_is_one_minus_the_probability_of_the_reported_grade():
    probabilities = np.array([[0, 0, 0.1, 0.3, 0.6], [0.3, 0.1, 0.2, 0.2, 0.2]])
    np.testing.assert_allclose(uncertainty(probabilities), [0.1, 0.8])  # mild .9, moderate .2


def test_threshold_of_uncertain_comes_from_the_card(volume):
    def marked(threshold):
        card = replace(CARD, uncertain_above=threshold)
        return Assessor.of_model(card, Stub(), device="cpu", precision="fp32").assess(volume)

    sure, unsure = marked(0.999), marked(1e-6)
    assert not sure.uncertain.any()
    assert not sure.volume_uncertain
    assert unsure.uncertain.all()
    assert unsure.volume_uncertain


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "i8", "f2", "f4", "f8", ">i2"]
)
def test_any_voxel_type_gives_the_same_grades(rng, dtype):
    voxels = rng.integers(0, 100, (1, 3, 40, 40))
    reference = make(Stub()).assess(Volume(voxels.astype("f4"), (8, 1.5, 1.5)))
    result = make(Stub()).assess(Volume(voxels.astype(dtype), (8, 1.5, 1.5)))
    np.testing.assert_allclose(result.probabilities, reference.probabilities, atol=1e-6)


def test_slices_of_any_memory_layout(rng):
    voxels = rng.integers(0, 900, (2, 3, 40, 50), dtype=np.int16)
    plain = make(Stub()).assess(Volume(voxels, (8, 1.5, 1.5)))
    turned = Volume(np.asfortranarray(voxels)[::-1], (8, 1.5, 1.5))
    np.testing.assert_allclose(make(Stub()).assess(turned).probabilities, plain.probabilities[::-1])


def test_assessing_hashes_no_voxels(volume, monkeypatch):
    import hashlib

    def forbidden(*_args, **_options):
        raise AssertionError("assess must not hash")

    monkeypatch.setattr(hashlib, "blake2b", forbidden)
    assert make(Stub()).assess(volume).identity is None
    series = Volume(volume.voxels, volume.spacing, "heart", series_uid="1.2.3")
    assert make(Stub()).assess(series).identity == "dicom:1.2.3"


def test_identity_is_passed_on_once_known(volume):
    assert make(Stub()).assess(volume).identity is None
    identity = volume.identity
    assert make(Stub()).assess(volume).identity == identity


def test_checkpoint_file_grades_a_file(assessor, cine_file):
    volume = volumes.read(cine_file)
    result = assessor.assess(volume)
    assert result.probabilities.shape == (volume.n_frames, volume.n_slices, 5)
    assert result.source == str(cine_file)
    assert result.checkpoint == "random"
    assert result.notice == checkpoints.SIMULATED_NOTICE
    assert result.seconds > 0


def test_grading_twice_gives_the_same(assessor, phantom_file):
    volume = volumes.read(phantom_file)
    first, second = assessor.assess(volume), assessor.assess(volume)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_precisions_agree(checkpoint_file, phantom_file):
    volume = volumes.read(phantom_file)
    exact, fast = (
        Assessor(checkpoint_file, device="cpu", precision=p).assess(volume)
        for p in ("fp32", "bf16")
    )
    assert (exact.precision, fast.precision) == ("fp32", "bf16")
    np.testing.assert_allclose(exact.expected_scores, fast.expected_scores, atol=0.1)


def test_wrong_device_is_told_before_the_checkpoint_is_read(tmp_path):
    with pytest.raises(DeviceError, match="abacus"):
        Assessor(tmp_path / "nothing.safetensors", device="abacus")


def test_batch_size_is_at_least_one(checkpoint_file):
    with pytest.raises(ValueError, match="at least 1"):
        Assessor(checkpoint_file, device="cpu", precision="fp32", batch_size=0)


class Stubborn(Stub):
    """Fails on the device that stands for a GPU."""

    def to(self, device, **options):
        if torch.device(device).type == "meta":
            raise RuntimeError("no kernel image is available\nfor this device")
        return super().to(device, **options)


def test_gpu_that_fails_is_replaced_and_named(monkeypatch, volume):
    monkeypatch.setattr(assessment, "find_device", lambda _: (torch.device("meta"), "GPU."))
    assessor = Assessor.of_model(CARD, Stubborn(), precision="fp32")
    expected = "CPU: the GPU was tried and failed (no kernel image is available)."
    assert assessor.device_reason == expected
    assert assessor.assess(volume).device == "cpu"
    with pytest.raises(DeviceError, match="cannot be used: no kernel image"):
        Assessor.of_model(CARD, Stubborn(), device="cuda", precision="fp32")


def test_blank_slices_get_no_grade_and_have_no_say(volume):
    """Padding before and behind the stack, and one image of one frame."""
    padded = np.zeros((2, 9, 40, 50), np.int16)
    padded[:, 1:8] = volume.voxels
    rule = VolumeRule(edge_weight=0.25, slope=3.0, thresholds=(1.5, 2.5, 3.5, 4.5))
    assessor = Assessor.of_model(replace(CARD, volume_rule=rule.to_dict()), Stub(), device="cpu")
    bare = assessor.assess(volume)
    result = assessor.assess(Volume(padded, volume.spacing))
    np.testing.assert_array_equal(result.graded[0], [False, *[True] * 7, False])
    np.testing.assert_allclose(result.probabilities[:, 1:8], bare.probabilities)
    np.testing.assert_allclose(result.volume_probabilities, bare.volume_probabilities)
    assert result.remarks == (
        "Blank, so without a grade and no part of the volume's: slices 0, 8.",
    )
    padded[1, 4] = 17
    said = assessor.assess(Volume(padded, volume.spacing)).remarks
    assert said[0].endswith("slices 0, 8 and 1 more image of single frames.")
    with pytest.raises(AssessmentError, match="all its slices are blank"):
        assessor.assess(Volume(np.zeros((3, 40, 50)), volume.spacing))


def test_what_was_remarked_when_it_was_read_goes_with_the_grade(volume):
    result = make(Stub()).assess(replace(volume, remarks=("Read with doubts.",)))
    assert result.remarks == ("Read with doubts.",)
