"""Headers, shapes and bytes that hypothesis makes up: a gradable volume or a sentence."""

from __future__ import annotations

import gzip
import warnings

import nibabel
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

AFFINE = np.diag([1.5, 1.4, 8.0, 1.0])
VOXELS = np.random.default_rng(0).integers(0, 900, (20, 24, 5), dtype=np.int16)


def nifti_bytes(voxels=VOXELS, affine=AFFINE, **fields) -> bytes:
    """A .nii file's bytes, its header's fields set afterwards, as no library would."""
    image = nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype)
    content = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    return bytes(content)


FIELDS = {
    "dim": st.lists(st.integers(-5, 40), min_size=8, max_size=8),
    "pixdim": st.lists(st.floats(width=32), min_size=8, max_size=8),
    "datatype": st.sampled_from([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 2304, -7]),
    "bitpix": st.integers(-8, 128),
    "vox_offset": st.floats(width=32),
    "scl_slope": st.floats(width=32),
    "scl_inter": st.floats(width=32),
    "xyzt_units": st.integers(0, 255),
    "sform_code": st.integers(-1, 5),
    "qform_code": st.integers(-1, 5),
    "quatern_b": st.floats(width=32),
    "srow_x": st.lists(st.floats(width=32), min_size=4, max_size=4),
    "magic": st.sampled_from([b"n+1", b"ni1", b"n+2", b"", b"n+1x"]),
}


def read_or_refuse(path):
    """A volume that can be graded, or the sentence; never anything else."""
    try:
        volume = volumes.read(path)
    except VolumeError as error:
        assert path.name in str(error) or path.with_suffix(".img").name in str(error)
        assert str(error).count("\n") == 0
        return None
    assert volume.voxels.ndim == 4
    assert min(volume.voxels.shape[2:]) > 1
    assert volume.voxels.dtype.kind in "iuf"
    assert np.isfinite(volume.voxels).all()
    assert volume.voxels.min() < volume.voxels.max()
    assert all(0 < size < np.inf for size in volume.spacing)
    return volume


relaxed = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@relaxed
@given(fields=st.fixed_dictionaries({}, optional=FIELDS), compressed=st.booleans())
def test_any_nifti_header(tmp_path, fields, compressed):
    with np.errstate(all="ignore"):
        content = nifti_bytes(**fields)
    path = tmp_path / "x.nii"
    path.write_bytes(gzip.compress(content, 1) if compressed else content)
    read_or_refuse(path)


@relaxed
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=7),
    spacing=st.tuples(*[st.sampled_from([1.0, 1.5, 3.0, 8.0])] * 3),
    dtype=st.sampled_from(["u1", "<i2", ">i2", "<f4", ">f8"]),
)
def test_any_shape(tmp_path, shape, spacing, dtype):
    """What is read back is what was written, only its axes turned."""
    stored = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    image = nibabel.Nifti1Image(stored, np.diag([*spacing, 1.0]))
    path = tmp_path / "x.nii"
    nibabel.save(image, path)
    volume = read_or_refuse(path)
    if volume is not None:
        squeezed = stored.reshape([size for size in shape if size > 1])
        if stored.ndim > 4:  # inner axes of one are no axes, as in x,y,z,1,t
            stored = stored.reshape(*shape[:3], *[size for size in shape[3:] if size > 1])
        axes = {volume.slice_axis, volume.frame_axis}
        assert volume.voxels.size == stored.size
        assert len(axes) == 2
        assert np.array_equal(np.sort(volume.voxels, axis=None), np.sort(squeezed, axis=None))
        assert np.array_equal(volume.voxels[0, 0].T.ravel(), _first_plane(stored, axes).ravel())


def _first_plane(stored, axes):
    return stored[tuple(0 if axis in axes else slice(None) for axis in range(stored.ndim))]


@relaxed
@given(
    suffix=st.sampled_from(volumes.IMAGE_SUFFIXES),
    start=st.sampled_from(
        (
            *(b"", b"NRRD0004\n", b"NRRD0005\ntype: short\n", b"NDims = 3\nDimSize = 9 9 9\n"),
            *(b"\x1f\x8b\x08", b"\x5c\x01\x00\x00", b"\x00\x00\x02\x1c", bytes(128) + b"DICM"),
        )
    ),
    rest=st.binary(max_size=600),
)
def test_any_bytes_under_any_suffix(tmp_path, suffix, start, rest):
    folder = tmp_path / suffix.strip(".")
    folder.mkdir(exist_ok=True)
    path = folder / f"x{suffix}"
    path.write_bytes(start + rest)
    read_or_refuse(path)


HEADER_LINES = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("type", "dimension", "sizes", "encoding", "endian", "spacings", "kinds"),
                *("space directions", "space", "byte skip", "line skip", "data file"),
            )
        ),
        st.one_of(
            st.sampled_from(["short", "float", "3", "4 4 4", "raw", "gzip", "little", "none"])
            | st.sampled_from(["(1,0,0) (0,1,0) (0,0,8)", "none (1,0) (0,1)", "-1", "LIST", "."]),
            st.text(max_size=12),
        ),
    ),
    max_size=9,
)


@relaxed
@given(lines=HEADER_LINES)
def test_any_nrrd_header(tmp_path, lines):
    path = tmp_path / "x.nrrd"
    fields = {
        **{"type": "short", "dimension": "3", "sizes": "4 4 4", "encoding": "raw"},
        **dict(lines),
    }
    text = "NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in fields.items())
    path.write_bytes(text.encode("utf-8", "replace") + b"\n" + bytes(range(128)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            volumes.read(path)
        except VolumeError as error:
            assert str(error).strip().endswith(".")
