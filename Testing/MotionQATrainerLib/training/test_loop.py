import numpy as np
import pytest
import torch

from MotionQALib import backbones
from MotionQALib.devices import DeviceSetup
from MotionQATrainerLib.runs.progress import Stopped, silent
from MotionQATrainerLib.runs.run_folder import LOG, STATE
from MotionQATrainerLib.training.loop import Loop


@pytest.fixture
def loop(small_settings, tiny_store, tmp_path):
    store, n = tiny_store, len(tiny_store)

    class Everything:
        digest = ""

        def epoch(self, number):
            return store, np.arange(n)

    model, _ = backbones.create("tf_efficientnet_lite0", size=32)
    place = DeviceSetup(torch.device("cpu"))
    valid = store, np.arange(8)
    return Loop(model, place, Everything(), valid, small_settings, tmp_path, silent)


def test_a_step_is_the_same_at_every_call(loop):
    images, levels = loop.batch(7)
    loop.batch(2)
    again, levels_again = loop.batch(7)
    assert torch.equal(images, again)
    assert torch.equal(levels, levels_again)
    assert not torch.equal(images, loop.batch(8)[0])


def test_an_epoch_shows_all_slices(loop):
    shown = [loop.batch(step)[1] for step in range(loop.steps_per_epoch)]
    assert loop.steps_per_epoch == 5
    assert torch.cat(shown).sum(dim=0).tolist() == [8] * 5


def test_batches_prepared_ahead_are_the_same(loop):
    expected = [(step, *loop.batch(step)) for step in range(3, loop.n_steps)]
    loop.prefetch = True
    found = list(loop.batches(3))
    assert [step for step, *_ in found] == [step for step, *_ in expected]
    for (_, images, levels), (_, other, other_levels) in zip(found, expected, strict=True):
        assert torch.equal(images, other)
        assert torch.equal(levels, other_levels)


def test_a_torn_log_is_mended(loop, tmp_path):
    """A kill or a full disk may leave half a line."""
    log = tmp_path / LOG
    loop.cancelled = lambda: loop.facts["step"] == 5
    with pytest.raises(Stopped):
        loop.run()
    after_one_epoch = (tmp_path / STATE).read_bytes()
    loop.cancelled = lambda: False
    loop.run()
    head, first, second = log.read_text().splitlines(keepends=True)
    log.write_text(head + first + second + "3,")
    (tmp_path / STATE).write_bytes(after_one_epoch)
    loop.resume()
    assert log.read_text() == head + first
    log.write_text("epo")
    loop.resume()
    loop.run()
    again = log.read_text().splitlines(keepends=True)
    assert again[0] == head and [row.split(",")[:2] for row in again[1:]] == [["2", "10"]]
