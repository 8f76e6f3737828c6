import pytest
import torch

from MotionQATrainerLib.runs.run_state import StateError, load_state, read_facts, save_state
from MotionQATrainerLib.training.loop import STATE


def start(seed, channels=4):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, channels, 3), torch.nn.BatchNorm2d(channels))
    model = model.to(memory_format=torch.channels_last)
    return model, torch.optim.AdamW(model.parameters(), fused=True)


def step(model, adam):
    model(torch.ones(2, 1, 8, 8)).square().mean().backward()
    adam.step()
    adam.zero_grad()


def test_a_state_is_restored_to_the_bit(tmp_path):
    model, adam = start(0)
    step(model, adam)
    save_state(tmp_path / STATE, model, model, adam, {"step": 1})
    other, other_adam = start(1)
    assert load_state(tmp_path / STATE, other, other, other_adam) == {"step": 1}
    step(model, adam)
    step(other, other_adam)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert list(tmp_path.iterdir()) == [tmp_path / STATE]


def test_a_damaged_or_foreign_state_is_refused(tmp_path):
    path = tmp_path / STATE
    with pytest.raises(StateError, match="is not the state"):
        read_facts(path)
    model, adam = start(0)
    save_state(path, model, model, adam, {"step": 1})
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(StateError, match="damaged"):
        read_facts(path)
    path.write_bytes(whole)
    other, other_adam = start(0, channels=6)
    with pytest.raises(StateError, match="another network"):
        load_state(path, other, other, other_adam)
