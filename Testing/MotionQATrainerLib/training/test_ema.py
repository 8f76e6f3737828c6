import torch

from MotionQATrainerLib.training.ema import Ema


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


def test_the_average_trails_and_statistics_are_copied():
    model = network()
    ema = Ema(model, 0.9)
    start = model[0].weight.detach().clone()
    with torch.no_grad():
        model[0].weight += 1
        model[1].running_mean += 5
    ema.update(model, step=1000)
    assert torch.allclose(ema.average[0].weight, start + 0.1)
    assert torch.equal(ema.average[1].running_mean, model[1].running_mean)
    assert not ema.average.training
    assert model.training


def test_early_steps_do_not_linger():
    model = network()
    ema = Ema(model, 0.999)
    with torch.no_grad():
        model[0].weight += 1
    ema.update(model, step=0)
    moved = (ema.average[0].weight - model[0].weight).abs().max()
    assert moved < 0.11  # a tenth of the way is left, not 0.999 of it


def test_without_decay_there_is_no_copy():
    model = network()
    ema = Ema(model, 0.0)
    ema.update(model, step=3)
    assert ema.average is model
