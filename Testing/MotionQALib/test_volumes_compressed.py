"""Compressed DICOM is read as it was before it was compressed, by every decoder that is there."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless, RLELossless

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

from .test_volumes_dicom import image, save

DCMTK = {
    "JPEG lossless": ("dcmcjpeg", "+e1"),
    "JPEG lossless, any predictor": ("dcmcjpeg", "+el"),
    "JPEG-LS": ("dcmcjpls", "+el"),
    "RLE": ("dcmcrle",),
}
LOSSLESS = {"RLE": RLELossless, "JPEG 2000": JPEG2000Lossless, "JPEG-LS": JPEGLSLossless}
NEEDS = {"JPEG 2000": "openjpeg", "JPEG-LS": "jpeg_ls", "JPEG lossless": "gdcm"}


def needs(kind: str) -> None:
    package = next((package for word, package in NEEDS.items() if kind.startswith(word)), None)
    if package is not None:
        pytest.importorskip(package)


@pytest.fixture
def cine():
    """(frames, slices, rows, columns), of 12 bits as scanners give them."""
    return np.random.default_rng(1).integers(0, 4096, (2, 3, 40, 48), dtype=np.uint16)


def made(cine, signed=False):
    for f, s in np.ndindex(cine.shape[:2]):
        pixels = cine[f, s].astype(np.int16) - 2000 if signed else cine[f, s]
        data = image(pixels.view(np.uint16), place=(0, 0, 8 * s), time=40.0 * f)
        if signed:
            data.PixelRepresentation, data.RescaleIntercept, data.RescaleSlope = 1, 2000, 1
        yield f"{f}{s}", data


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_is_read_exactly(tmp_path, cine, kind, signed):
    needs(kind)
    for name, data in made(cine, signed):
        data.compress(LOSSLESS[kind])
        save(data, tmp_path / "x" / name)
    np.testing.assert_array_equal(volumes.read(tmp_path / "x").voxels, cine)


@pytest.mark.parametrize("kind", DCMTK)
def test_what_other_programs_compress_is_read(tmp_path, cine, kind):
    needs(kind)
    program, *options = DCMTK[kind]
    if shutil.which(program) is None:
        pytest.skip(f"{program} of DCMTK is not installed")
    (tmp_path / "x").mkdir()
    for name, data in made(cine):
        plain = save(data, tmp_path / "plain" / name)
        packed = str(tmp_path / "x" / name)
        subprocess.run([program, *options, str(plain), packed], check=True, timeout=60)
    np.testing.assert_array_equal(volumes.read(tmp_path / "x").voxels, cine)


@pytest.mark.parametrize(
    ("kind", "syntax", "options"),
    [
        ("JPEG 2000", JPEG2000, {"j2k_psnr": [60]}),
        ("JPEG-LS", JPEGLSNearLossless, {"jls_error": 2}),
    ],
)
def test_lossy_is_read_as_good_as_it_is(tmp_path, cine, kind, syntax, options):
    needs(kind)
    for name, data in made(cine):
        data.compress(syntax, **options)
        save(data, tmp_path / "x" / name)
    found = volumes.read(tmp_path / "x").voxels.astype(int)
    assert 0 < np.abs(found - cine).mean() < 60


@pytest.mark.parametrize("kind", ["JPEG 2000", "JPEG-LS"])
def test_without_a_decoder_its_package_is_named(tmp_path, cine, kind, monkeypatch):
    from pydicom.pixels import get_decoder

    needs(kind)
    syntax = LOSSLESS[kind]
    for name, data in made(cine[:1]):
        data.compress(syntax)
        save(data, tmp_path / "x" / name)
    monkeypatch.setattr(type(get_decoder(syntax)), "is_available", property(lambda _self: False))
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    package = {"JPEG 2000": "pylibjpeg pylibjpeg-openjpeg", "JPEG-LS": "pyjpegls"}[kind]
    with pytest.raises(VolumeError, match=rf"pip install {package}"):
        volumes.read(tmp_path / "x")
