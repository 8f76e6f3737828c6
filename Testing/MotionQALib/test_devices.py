"""Where the network runs, and how."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from MotionQALib import devices
from MotionQALib.devices import (
    DeviceError,
    DeviceSetup,
    find_device,
    find_device_setup,
    is_out_of_memory,
)

CPU = torch.device("cpu")


class CountingNetwork(nn.Module):
    """Counts its passes, and the types that it computed in."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)
        self.types = []

    def forward(self, images):
        logits = self.layer(images.flatten(1)[:, :4])
        self.types.append(logits.dtype)
        return logits


def test_automatic_device_says_why():
    device, reason = find_device("auto")
    assert reason.endswith(".")
    if device.type == "cpu":
        assert reason.startswith("CPU: ")
    else:
        assert "GPU" in reason


def test_cpu_without_cuda_build_is_explained(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None, raising=False)
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: False)
    assert find_device("auto") == (CPU, "CPU: this torch has no CUDA build.")


def test_cuda_build_without_gpu_is_explained(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "12.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no GPU with a working driver"):
        find_device("cuda")


@pytest.mark.parametrize("wanted", ["tpu", "", "gpu:0"])
def test_unknown_device_names_the_known(wanted):
    with pytest.raises(DeviceError, match="auto, cpu, cuda, mps"):
        find_device(wanted)


def test_unknown_precision_names_the_known():
    with pytest.raises(DeviceError, match="fp32, bf16"):
        find_device_setup(CountingNetwork(), CPU, 32, "fp64")


def test_precision_is_measured_once_a_network_and_process():
    class Counting(CountingNetwork):
        """A kind of network that nothing was measured of before."""

    first, second = Counting(), Counting()
    place = find_device_setup(first, CPU, 32)
    assert {torch.float32, torch.bfloat16} == set(first.types)
    assert find_device_setup(second, CPU, 32) == place
    assert second.types == []


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_asked_precision_is_kept(precision):
    assert find_device_setup(CountingNetwork(), CPU, 32, precision).precision == precision


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [(0.95, "fp32"), (0.5, "bf16")],  # 5 % are not worth it
)
def test_slower_precision_is_not_chosen(monkeypatch, seconds, chosen):
    now = [0.0]

    class Timed(CountingNetwork):
        """The clock goes on by so much while it computes, and never else."""

        def forward(self, images):
            logits = super().forward(images)
            now[0] += seconds if logits.dtype == torch.bfloat16 else 1.0
            return logits

    monkeypatch.setattr(devices, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    assert find_device_setup(Timed(), CPU, 32).precision == chosen


def test_memory_format_follows_the_place():
    seen = []

    class Network(nn.Module):
        def forward(self, images):
            seen.append(images.is_contiguous(memory_format=torch.channels_last))
            return images

    images = torch.zeros(2, 3, 8, 8)
    DeviceSetup(CPU, channels_last=True).forward(Network(), images)
    DeviceSetup(CPU).forward(Network(), images)
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried …"), True),
        (MemoryError(), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_errors_are_told_from_others(error, expected):
    assert is_out_of_memory(error) is expected


def test_large_maps_are_computed_in_smaller_batches_on_a_cpu():
    convolutional = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(8, 5))
    assert devices.batch_size_of(convolutional, CPU) < devices.batch_size_of(CountingNetwork(), CPU)
    assert devices.batch_size_of(convolutional, torch.device("cuda")) >= 32
