"""What the starter checkpoint promises, on patients that it was not trained on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import zoom
from scipy.stats import spearmanr

from MotionQALib import checkpoints, volumes
from MotionQALib.assessment import Assessor
from MotionQALib.familiarity import REMARK, unfamiliar_named
from MotionQALib.scale import Grade
from MotionQALib.volumes import Volume
from MotionQATrainerLib.data.clean_patients import find_patients
from MotionQATrainerLib.simulation import nuisances
from MotionQATrainerLib.simulation.breathing import Behaviour, Breathing
from MotionQATrainerLib.simulation.out_of_distribution import out_of_distribution_images
from MotionQATrainerLib.simulation.simulator import Acquisition, MotionSimulator

ROOT = Path(__file__).resolve().parents[1]
SPLIT = ROOT / "MotionQA" / "Resources" / "Checkpoints" / "motionqa-starter.split.json"
LARGEST_FILE = 12_000_000


@pytest.fixture(scope="module")
def starter():
    return Assessor(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def patients(acdc):
    """Patients of the test part, none of which the starter or its calibration has seen."""
    names = set(json.loads(SPLIT.read_text())["test"])
    return [patient for patient in find_patients(acdc) if patient.name in names]


@pytest.fixture(scope="module")
def stacks(patients):
    """Clean and breathing stacks, so that all grades are among the slices."""
    rng = np.random.default_rng(11)
    made = []
    for patient, behaviour in zip(patients[::5], [*Behaviour, Behaviour.FREE], strict=True):
        stack, spacing = patient.read("ED")
        acquisition = Acquisition.draw(rng)
        motion = Breathing.draw(rng).displacement(behaviour, acquisition.times, len(stack), rng)
        corrupted, _ = MotionSimulator()(
            stack, spacing, motion, acquisition, rng, centre=patient.heart_centre("ED")
        )
        made.append(Volume(voxels=corrupted.numpy(), spacing=spacing, name=patient.name))
    return made


def test_the_file_is_small_and_says_what_it_is():
    path = checkpoints.resolve(checkpoints.STARTER)
    card = checkpoints.read_card(path)
    assert path.stat().st_size <= LARGEST_FILE
    assert card.motion == "simulated"
    assert "ACDC" in card.training["data"] and "Sunnybrook" in card.training["data"]
    assert card.notice == checkpoints.SIMULATED_NOTICE
    assert "CC BY-NC-SA" in card.licence and "not for commercial use" in card.licence
    assert card.metrics, "the card tells how good it is, with intervals"
    assert "validation volumes" in card.training["rule_fitted_on"]
    assert (path.parent / "LICENSE.md").is_file()


def test_the_free_one_carries_nothing_of_what_is_not_free():
    path = checkpoints.resolve("motionqa-free")
    card = checkpoints.read_card(path)
    assert path.stat().st_size <= LARGEST_FILE
    assert card.licence.startswith("Apache-2.0") and "ACDC" not in card.training["data"]
    assert card.network_input.locator == "free"
    split = json.loads(path.with_suffix(".split.json").read_text())
    assert not any("patient" in name for part in ("train", "valid") for name in split[part])


@pytest.mark.acdc
def test_the_test_patients_took_no_part(patients):
    parts = json.loads(SPLIT.read_text())
    assert len(patients) >= 20
    assert not set(parts["test"]) & (set(parts["train"]) | set(parts["valid"]))


@pytest.mark.acdc
def test_untouched_volumes_are_mild(starter, patients):
    grades = [
        starter.assess(volumes.read(path)).volume_grade
        for patient in patients
        for path, _ in patient.phases.values()
    ]
    assert np.mean([grade == Grade.MILD for grade in grades]) >= 0.95


def rician(volume, rng):
    level = 0.02 * np.percentile(volume.voxels, 99)
    real, imaginary = rng.normal(0, level, (2, *volume.voxels.shape))
    return replace(volume, voxels=np.hypot(volume.voxels + real, imaginary).astype(np.float32))


def contrast(volume, exponent):
    bright = volume.voxels.max()
    return replace(volume, voxels=bright * (volume.voxels / bright).clip(0) ** exponent)


def matrix(volume, spacing):
    factors = (1, 1, volume.spacing[1] / spacing, volume.spacing[2] / spacing)
    voxels = zoom(volume.voxels, factors, order=3, mode="nearest", grid_mode=True)
    return replace(volume, voxels=voxels, spacing=(volume.spacing[0], spacing, spacing))


def field_of_view(volume, share):
    rows, columns = (round(length * share) for length in volume.voxels.shape[2:])
    voxels = volume.voxels[:, :, rows:-rows, columns:-columns]
    return replace(volume, voxels=voxels)


def turned(volume):
    slices, rows, columns = volume.spacing
    voxels = np.rot90(volume.voxels, axes=(2, 3)).copy()
    return replace(volume, voxels=voxels, spacing=(slices, columns, rows))


CHANGES = {
    "noise": lambda v: rician(v, np.random.default_rng(0)),
    "more contrast": lambda v: contrast(v, 1.3),
    "less contrast": lambda v: contrast(v, 0.75),
    "brightness": lambda v: replace(v, voxels=v.voxels * 3.5 + 20),
    "0.7 mm": lambda v: matrix(v, 0.7),
    "1.0 mm": lambda v: matrix(v, 1.0),
    "1.8 mm": lambda v: matrix(v, 1.8),
    "field of view": lambda v: field_of_view(v, 0.12),
    "rows flipped": lambda v: replace(v, voxels=v.voxels[:, :, ::-1].copy()),
    "columns flipped": lambda v: replace(v, voxels=v.voxels[:, :, :, ::-1].copy()),
    "turned by 90 degrees": turned,
}


@pytest.mark.acdc
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_motion_does_not_move_the_score(starter, stacks, change):
    moved = []
    for volume in stacks:
        before = starter.assess(volume).expected_scores
        moved.append(np.abs(starter.assess(CHANGES[change](volume)).expected_scores - before))
    assert np.median(np.concatenate(moved, axis=1)) <= 0.3


def coarse(volume, pixel):
    images, spacing = nuisances.coarsened(
        torch.from_numpy(volume.voxels[0]), volume.spacing[1:], pixel
    )
    return replace(volume, voxels=images.numpy(), spacing=(volume.spacing[0], *spacing))


def blurred(volume, pixels):
    images = nuisances.blurred(torch.from_numpy(volume.voxels[0]), pixels)
    return replace(volume, voxels=images.numpy())


NOT_MOTION = {
    "2.5 mm": lambda v: coarse(v, 2.5),
    "3 mm": lambda v: coarse(v, 3.0),
    "blur": lambda v: blurred(v, 1.0),
}


@pytest.mark.acdc
@pytest.mark.parametrize("change", NOT_MOTION)
def test_clean_volumes_stay_mild_whatever_the_scanner(starter, patients, change):
    grades = []
    for patient in patients[::2]:
        stack, spacing = patient.read("ED")
        volume = NOT_MOTION[change](Volume(stack, spacing, patient.name))
        grades.append(starter.assess(volume).volume_grade)
    assert np.mean([grade == Grade.MILD for grade in grades]) >= 0.9


def test_what_is_no_heart_is_told(starter):
    rng = np.random.default_rng(987)
    told = []
    for kind, image in out_of_distribution_images(66, rng):
        if np.ptp(image) > 0:  # a blank one is refused
            graded = starter.assess(Volume(image, (8.0, 1.3, 1.3), kind))
            told.append(any(REMARK in text for text in graded.remarks))
    assert np.mean(told) >= 0.9


@pytest.mark.acdc
def test_hearts_are_not_called_something_else(starter, patients):
    told, seen = 0, 0
    for patient in patients:
        stack, spacing = patient.read("ES")
        remarks = starter.assess(Volume(stack, spacing, patient.name)).remarks
        told += sum(map(len, unfamiliar_named(remarks, len(stack))))
        seen += len(stack)
    assert told / seen <= 0.01


@pytest.mark.acdc
def test_more_motion_scores_lower(starter, patients):
    rng = np.random.default_rng(5)
    correlations = []
    amplitudes = np.linspace(0, 10, 8)
    for patient in patients[:8]:
        stack, spacing = patient.read("ED")
        middle = len(stack) // 2
        acquisition = Acquisition.draw(rng)
        wave = Breathing.draw(rng).displacement(Behaviour.FREE, acquisition.times, len(stack), rng)
        wave /= np.ptp(wave, axis=1, keepdims=True)
        scores = []
        for amplitude in amplitudes:
            images, _ = MotionSimulator()(
                stack, spacing, amplitude * wave, acquisition, np.random.default_rng(1),
                centre=patient.heart_centre("ED"),
            )  # fmt: skip
            one = Volume(voxels=images[middle : middle + 1].numpy(), spacing=spacing)
            scores.append(starter.assess(one).expected_scores[0, 0])
        correlations.append(spearmanr(amplitudes, scores).statistic)
    assert np.median(correlations) <= -0.9


def test_the_phantoms_breath_holds_score_above_its_breathing(starter, phantom):
    """Nothing licensed at hand: the order of the behaviours must hold on a synthetic person too."""
    from MotionQATrainerLib.simulation.phantom import Phantom

    person = Phantom(seed=3, n_slices=6)
    stack = person.volume(0.0)
    rng = np.random.default_rng(0)
    acquisition = Acquisition(heartbeats=10)
    breathing = Breathing(amplitude=6.0, exponent=1, drift=0.02, period=4.0)
    expected = {}
    for behaviour in (Behaviour.HOLD, Behaviour.FREE, Behaviour.INTENSIVE):
        motion = breathing.displacement(behaviour, acquisition.times, len(stack), rng)
        images, _ = MotionSimulator()(stack, person.spacing, motion, acquisition, rng)
        volume = Volume(voxels=images.numpy(), spacing=person.spacing)
        expected[behaviour] = starter.assess(volume).volume_expected_score
    assert expected[Behaviour.HOLD] > expected[Behaviour.FREE] + 0.5
    assert expected[Behaviour.FREE] >= expected[Behaviour.INTENSIVE] - 0.3
