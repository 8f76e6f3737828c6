import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from MotionQALib.safetensors_header import read_metadata


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors = {"a": np.arange(6, dtype=np.float32), "b": np.ones((2, 2), np.float16)}
    save_file(tensors, path, {"motionqa": '{"name": "é"}'})
    return path


def test_it_reads_what_the_library_wrote(file):
    assert read_metadata(file) == {"motionqa": '{"name": "é"}'}


def test_a_file_without_metadata_has_none(tmp_path):
    save_file({"a": np.zeros(1)}, tmp_path / "a.safetensors")
    assert read_metadata(tmp_path / "a.safetensors") == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"more",
        lambda data: data[:40],
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: b"",
        lambda data: (2).to_bytes(8, "little") + b"[]",
        lambda data: (14).to_bytes(8, "little") + json.dumps({"a": "text"}).encode(),
    ],
    ids=["cut short", "longer", "in the header", "a huge header", "empty", "a list", "no tensor"],
)
def test_what_is_damaged_is_refused(file, damage):
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"it has|header"):
        read_metadata(file)
