"""Which of the files in a folder are images, and which are masks of others."""

from __future__ import annotations

import os
from pathlib import Path

from .dicom import series_paths
from .kinds import FORMATS, is_dicom, stem_of, suffix_of

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
        slices = [path for path in here if path not in set(files) and is_dicom(path)]
        if slices:
            images += series_paths(Path(root), slices)
    return images


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
