from types import SimpleNamespace

import pytest
import torch

from MotionQALib import backbones
from MotionQALib.devices import DeviceSetup
from MotionQATrainerLib.training import optimisation
from MotionQATrainerLib.training.optimisation import optimiser, schedule, set_rate, training_setup
from MotionQATrainerLib.training.settings import TrainingSettings


@pytest.fixture(scope="module")
def model():
    return backbones.create("tf_efficientnet_lite0")[0]


def test_norms_and_biases_do_not_decay_and_the_head_is_faster(model):
    settings = TrainingSettings(learning_rate=1e-3, head_rate=5.0, weight_decay=0.1)
    adam = optimiser(model, settings)
    held = sum(len(group["params"]) for group in adam.param_groups)
    assert held == len(list(model.parameters()))
    for group in adam.param_groups:
        decays = {parameter.ndim > 1 for parameter in group["params"]}
        assert decays == {group["weight_decay"] > 0}
    head = {id(parameter) for parameter in model.get_classifier().parameters()}
    rate = set_rate(adam, settings, 50, 100)
    for group in adam.param_groups:
        of_head = {id(parameter) in head for parameter in group["params"]}
        assert of_head == {group["lr"] == pytest.approx(5 * rate)}


def test_the_rate_rises_then_falls():
    factors = [schedule(step, 100, 0.1) for step in range(100)]
    assert factors[0] == pytest.approx(1 / 11)
    assert factors[10] == 1.0
    assert factors[:11] == sorted(factors[:11])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.001
    assert schedule(0, 1, 0.0) == 1.0


def test_the_fastest_way_is_chosen_and_the_model_left_alone(model, monkeypatch):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    place = training_setup(model, torch.device("cpu"), "auto", 32, 2)
    assert place.precision in ("fp32", "bf16")
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    taken = {("fp32", False): 3.0, ("fp32", True): 2.0, ("bf16", False): 1.0, ("bf16", True): 4.0}
    now, forward = [0.0], DeviceSetup.forward

    def computed(place, *arguments):
        now[0] += taken[place.precision, place.channels_last]
        return forward(place, *arguments)

    # The clock goes on by so much while a network computes, and never else.
    monkeypatch.setattr(DeviceSetup, "forward", computed)
    monkeypatch.setattr(optimisation, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    place = training_setup(model, torch.device("cpu"), "auto", 32, 2)
    assert (place.precision, place.channels_last) == ("bf16", False)
    place = training_setup(model, torch.device("cpu"), "fp32", 32, 2)
    assert (place.precision, place.channels_last) == ("fp32", True)
