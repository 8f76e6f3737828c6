"""Cardiac MR files to a `Volume`: voxels, spacing, slices, frames and identity.

Reads NIfTI, NRRD, MetaImage and the folder of a DICOM series. Whatever cannot be graded raises
`VolumeError`, whose text is one sentence that names the file and says what to do.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .formats.axes import find_axes
from .formats.file_kinds import FORMATS, is_dicom, stem_of, suffix_of
from .formats.image_search import images_under, mask_beside, spare_files
from .formats.pointers import refuse_pointer
from .formats.stored import StoredImage
from .formats.volume_error import MaskError, VolumeError, display_name, in_plain_words, refusal
from .volume_remarks import GIVEN, remarks_on

if TYPE_CHECKING:
    from .formats.dicom_origin import Origin

__all__ = [
    "IMAGE_SUFFIXES",
    "MaskError",
    "Volume",
    "VolumeError",
    "check",
    "find",
    "find_all",
    "mask_beside",
    "read",
    "read_files",
    "stem_of",
]

IMAGE_SUFFIXES = tuple(FORMATS)
"""Suffixes that `read` knows and `find` looks for; DICOM files need none."""

BLANK = 0.002
"""Grey levels of a blank image, as a share of those of an ordinary one of its volume."""

MOST_LABELS = 8
"""A grey-scale image has more values than this, a segmentation seldom has."""

PIXEL_SPACING = (0.01, 100.0)
"""mm; a pixel outside it means that the header's spacing is wrong."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack of slices, perhaps at several times.

    Attributes
    ----------
    voxels
        (frames, slices, rows, columns), the file's own numbers where it stores integers; slices
        and frames in the file's own order. Given as (rows, columns) or (slices, rows, columns),
        the missing axes are added.
    spacing
        mm between slices, between rows, between columns.
    name
        The file's name without its suffix, or the DICOM folder's.
    source
        Where it was read from; None for an array from memory.
    slice_axis, frame_axis
        The file's own axes that slices and frames count along; None where there are no frames.
    series_uid
        DICOM's SeriesInstanceUID, which then is the identity.
    remarks
        Sentences about what was assumed, left out or doubted when it was read; they are shown
        wherever its grade is.
    missing
        (frames, slices) bool: images that a ragged series lacks, all zeros here; None for none.
    origin
        Of DICOM: which stored image each slice and frame is, and where and when it was taken.
    """

    voxels: np.ndarray
    spacing: tuple[float, float, float]
    name: str = "volume"
    source: Path | None = None
    slice_axis: int = 2
    frame_axis: int | None = None
    series_uid: str | None = None
    remarks: tuple[str, ...] = ()
    missing: np.ndarray | None = None
    origin: Origin | None = None

    def __post_init__(self) -> None:
        voxels = np.asarray(self.voxels)
        if not 2 <= voxels.ndim <= 4:
            raise VolumeError(
                f"{self.name} has {voxels.ndim} axes, but a volume has 2 to 4: "
                "(frames, slices, rows, columns)."
            )
        voxels = voxels.reshape((1,) * (4 - voxels.ndim) + voxels.shape)
        object.__setattr__(self, "voxels", voxels)
        object.__setattr__(self, "spacing", tuple(float(size) for size in self.spacing))

    @property
    def n_frames(self) -> int:
        return self.voxels.shape[0]

    @property
    def n_slices(self) -> int:
        return self.voxels.shape[1]

    @cached_property
    def blank(self) -> np.ndarray:
        """(frames, slices) bool: images without content, which no grade could describe.

        All pixels alike, or as good as alike beside what the other images hold; missing ones too.
        """
        low, high = extremes(self.voxels)
        reach = high - low
        usual = np.median(reach[reach > 0]) if (reach > 0).any() else 0.0
        blank = reach <= BLANK * usual
        return blank if self.missing is None else blank | self.missing

    @cached_property
    def identity(self) -> str:
        """Key of the content: the series' UID or, computed when first asked, the voxels' hash."""
        if self.series_uid:
            return f"dicom:{self.series_uid}"
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr((self.voxels.dtype.name, self.voxels.shape)).encode())
        for frame in self.voxels:
            for image in frame:
                digest.update(np.ascontiguousarray(image))
        return f"voxels:{digest.hexdigest()}"


def extremes(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of each image, float64 (frames, slices); NaN shows in both."""
    low, high = voxels.min(axis=(2, 3)), voxels.max(axis=(2, 3))
    return low.astype(np.float64), high.astype(np.float64)


class Found(NamedTuple):
    """Images, and the segmentations beside them, which are none."""

    images: list[Path]
    masks: list[Path]


def read(
    path: str | Path,
    *,
    slice_axis: int | None = None,
    frame_axis: int | None = None,
    spacing: tuple[float | None, float | None, float | None] | None = None,
) -> Volume:
    """Read one file, or the folder of one DICOM series.

    Parameters
    ----------
    path
        A NIfTI, NRRD or MetaImage file, a DICOM series' folder, or any one file of a series
        (which stands for its series).
    slice_axis, frame_axis
        The file's own axes of slices and frames, from 0; found from header and geometry if None.
    spacing
        mm between slices, rows and columns, where the file's own is missing or wrong; None in
        its place keeps one of the file's.

    Raises
    ------
    VolumeError
        The file is missing, damaged, or nothing that can be graded.
    """
    path = Path(path)
    with in_plain_words(path):
        image = _load(path)
        return check(_arrange(path, image, slice_axis, frame_axis, spacing))


def read_mask(path: str | Path) -> Volume:
    """Read a segmentation, which `read` refuses as nothing to grade; errors as of `read`."""
    path = Path(path)
    with in_plain_words(path):
        return _arrange(path, _load(path), None, None, None)


def read_files(files: Iterable[str | Path]) -> Volume:
    """Read the one DICOM stack that files hold, wherever they lie; otherwise like `read`."""
    files = [Path(file) for file in files]
    if not files:
        raise VolumeError("No files were given; choose a DICOM series.")
    with in_plain_words(files[0]):
        image = import_module(".formats.dicom", __package__).read_files(files)
        return check(_arrange(files[0], image, None, None, None))


def check(volume: Volume) -> Volume:
    """Return the volume if it can be graded, with remarks on what is to be doubted about it.

    Raises
    ------
    VolumeError
        Its spacing, size or voxels make no image: see the sentence.
    """
    path = volume.source or Path(volume.name)
    rows, columns = volume.voxels.shape[2:]
    if min(volume.voxels.shape) < 1:
        raise refusal(path, "has no voxels; export it again.")
    if min(rows, columns) < 2:
        raise refusal(
            path,
            f"is one pixel wide ({rows} × {columns} along its slices); choose another file, "
            "or name its slice axis if that was taken wrongly.",
        )
    low, high = PIXEL_SPACING
    between, *pixel = volume.spacing
    good = all(map(math.isfinite, volume.spacing)) and between > 0
    if not good or not all(low <= size <= high for size in pixel):
        written = " × ".join(f"{size:g}" for size in volume.spacing)
        raise refusal(
            path,
            f"has an impossible spacing in its header ({written} mm between slices, rows and "
            "columns); correct it or export the file again.",
        )
    _check_values(path, volume)
    more = [remark for remark in remarks_on(volume) if remark not in volume.remarks]
    if not more:
        return volume
    remarked = replace(volume, remarks=(*volume.remarks, *more))
    if "identity" in vars(volume):  # known already: the voxels need no hashing
        vars(remarked)["identity"] = volume.identity
    return remarked


def _check_values(path: Path, volume: Volume) -> None:
    # Minimum and maximum show NaN and infinity too, without a temporary array.
    voxels = volume.voxels
    low, high = extremes(voxels)
    if voxels.dtype.kind == "f" and not (np.isfinite(low).all() and np.isfinite(high).all()):
        bad = sum(int(np.count_nonzero(~np.isfinite(frame))) for frame in voxels)
        raise refusal(
            path,
            f"holds {bad} of {voxels.size} voxels that are no numbers (NaN or infinite); "
            "replace them and save it again.",
        )
    few = _labels_in(voxels)
    if few:
        raise MaskError(
            f"{display_name(path)} holds {few} whole numbers only, as segmentations do; choose the "
            "image that it belongs to."
        )
    if low.min() == high.max():
        raise refusal(path, f"is blank: every voxel is {low.min():g}; choose another file.")
    reach = high - low
    if not (reach > 0).any():
        raise refusal(path, "is blank: each of its images has one grey level; choose another file.")


def _labels_in(voxels: np.ndarray) -> int:
    """How many values a segmentation has; 0 for an image."""
    rows, columns = voxels.shape[2:]
    if rows * columns < 400:
        return 0
    step = max(1, min(rows, columns) // 48)
    seen = np.unique(voxels[:: max(1, len(voxels) // 3), :, ::step, ::step])
    if not 1 < len(seen) <= MOST_LABELS or (seen != np.rint(seen)).any():
        return 0
    values = np.unique(voxels)
    whole = len(values) <= MOST_LABELS and not (values != np.rint(values)).any()
    return len(values) if whole else 0


def _load(path: Path) -> StoredImage:
    refuse_pointer(path)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return import_module(".formats.dicom", __package__).read(path)
    if not stat.S_ISREG(mode):
        raise refusal(path, "is no ordinary file; choose an image file.")
    format_name = FORMATS.get(suffix_of(path))
    if format_name is None and is_dicom(path):
        format_name = "dicom"
    if format_name is None:
        raise refusal(
            path,
            "is of no kind that MotionQA reads; give NIfTI, NRRD, MetaImage or a DICOM folder.",
        )
    return import_module(f".formats.{format_name}", __package__).read(path)


def _arrange(
    path: Path,
    image: StoredImage,
    slice_axis: int | None,
    frame_axis: int | None,
    given: tuple[float | None, float | None, float | None] | None,
) -> Volume:
    slice_axis, frame_axis = find_axes(path, image, slice_axis, frame_axis)
    shape = image.voxels.shape
    columns, rows = (a for a in range(len(shape)) if a not in (slice_axis, frame_axis))
    voxels, axis_order = image.voxels, []
    for axis in (frame_axis, slice_axis, rows, columns):
        if axis is None or axis >= len(shape):
            voxels, axis = voxels[..., None], voxels.ndim
        axis_order.append(axis)
    # One slice has no distance to the next, whatever the header says.
    between = image.spacing[slice_axis] if slice_axis < len(image.spacing) else 1.0
    if voxels.shape[axis_order[1]] == 1 and not (math.isfinite(between) and between > 0):
        between = 1.0
    spacing, remarks = (between, image.spacing[rows], image.spacing[columns]), image.remarks
    if given is not None:
        spacing = tuple(
            own if new is None else new for new, own in zip(given, spacing, strict=True)
        )
        written = " × ".join(f"{size:g}" for size in spacing)
        remarks = (*remarks, f"Its spacing, {written} mm, {GIVEN}.")
    if image.origin is not None and any(map(math.isnan, spacing[1:])):
        raise refusal(
            path,
            "gives no pixel spacing in its header; export it again, or give it with --spacing.",
        )
    return Volume(
        voxels=voxels.transpose(axis_order),
        spacing=spacing,
        name=image.name or stem_of(path),
        source=path,
        slice_axis=slice_axis,
        frame_axis=frame_axis,
        series_uid=image.series_uid,
        remarks=remarks,
        missing=image.missing,
        origin=image.origin,
    )


def find(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Expand files and folders to what `read` takes, sorted within each folder.

    A file is returned as it is, even when missing, so that `read` can say what is wrong with it; of
    a DICOM stack's files, the first one given.
    A folder is searched through all its subfolders; one that holds a DICOM stack stands for it.
    Masks (`x_gt` beside `x`, `seg_x`, `labelsTr/`, …) are left out.

    Raises
    ------
    VolumeError
        A folder holds no images.
    """
    return find_all(paths).images


def find_all(paths: str | Path | Iterable[str | Path]) -> Found:
    """The same, with the masks that were left out."""
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    found: dict[Path, None] = {}
    masks: dict[Path, None] = {}
    given: list[Path] = []
    for path in map(Path, paths):
        with in_plain_words(path):
            inside, left_out = images_under(path) if path.is_dir() else ([path], [])
        if not inside:
            raise refusal(
                path,
                "holds no images; give a folder with NIfTI, NRRD, MetaImage or DICOM files.",
            )
        found.update(dict.fromkeys(inside))
        masks.update(dict.fromkeys(left_out))
        given += [] if path.is_dir() else [path]
    spare = spare_files(given)
    images = [path for path in found if path not in spare]
    return Found(images, [mask for mask in masks if mask not in found])
