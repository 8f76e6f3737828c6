"""Which of the files in a folder are images, and which are masks of others."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .dicom import by_series, series_paths
from .kinds import FORMATS, is_dicom, is_named_dicom, stem_of, suffix_of
from .refusals import VolumeError

_MASK_ENDINGS = ("_gt", "-gt", "_label", "-label", "_seg", "-seg", ".seg", "_mask", "-mask")


def images_under(folder: Path) -> list[Path]:
    """Image files in a folder and its subfolders, sorted; DICOM series by their folder."""
    images: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = [Path(root, name) for name in sorted(names) if not name.startswith(".")]
        files = [path for path in here if FORMATS.get(suffix_of(path), "dicom") != "dicom"]
        stems = {stem_of(path) for path in files}
        images += [path for path in files if not _is_mask(path, stems)]
        others = [path for path in here if path not in set(files)]
        slices = [path for path in others if is_named_dicom(path) or is_dicom(path)]
        if slices:
            images += series_paths(Path(root), slices)
    return images


def one_a_series(paths: Iterable[Path]) -> list[Path]:
    """Leave out DICOM images of a series that one of the paths before stands for."""
    paths = list(paths)
    beside: dict[Path, list[Path]] = {}
    for path in paths:
        if FORMATS.get(suffix_of(path), "dicom") == "dicom" and is_dicom(path):
            beside.setdefault(path.parent, []).append(path)
    spare: set[Path] = set()
    for images in beside.values():
        if len(images) > 1:
            try:
                for headers in by_series(images).values():
                    spare |= {*list(headers)[1:]}
            except VolumeError:
                spare |= {*images[1:]}  # the first says which of them is damaged
    return [path for path in paths if path not in spare]


def _is_mask(path: Path, stems: set[str]) -> bool:
    """A mask is named after an image beside it, as in x.nii.gz and x_gt.nii.gz."""
    stem = stem_of(path)
    return any(stem.endswith(end) and stem.removesuffix(end) in stems for end in _MASK_ENDINGS)


def mask_beside(image: Path) -> Path | None:
    """The mask that is named after an image and lies beside it, if there is one."""
    stem, suffix = stem_of(image), suffix_of(image)
    suffix = image.name[len(image.name) - len(suffix) :]
    masks = (image.with_name(f"{stem}{ending}{suffix}") for ending in _MASK_ENDINGS)
    return next((mask for mask in masks if mask.is_file()), None)


def _raise(error: OSError) -> None:
    raise error
