"""Which of the files in a folder are images."""

from __future__ import annotations

import os
from pathlib import Path

from .refusals import display_name

FORMATS = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".hdr": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "metaimage",
    ".mhd": "metaimage",
    ".dcm": "dicom",
    ".ima": "dicom",
}
"""The module that reads a suffix; DICOM files need no suffix."""

_MASK_ENDINGS = ("_gt", "-gt", "_label", "-label", "_seg", "-seg", ".seg", "_mask", "-mask")


def suffix_of(path: Path) -> str:
    """The suffix that `FORMATS` knows, longest first; empty for any other."""
    name = path.name.lower()
    known = (suffix for suffix in FORMATS if name.endswith(suffix))
    return max(known, key=len, default="")


def stem_of(path: Path) -> str:
    """The name without that suffix; a folder's own name even for "." and ".."."""
    name = display_name(path.resolve() if path.name in ("", "..") else path)
    return name[: len(name) - len(suffix_of(path))] or name


def is_dicom(path: Path) -> bool:
    """DICOM by its preamble or, where a writer left that out, by suffix and first tag."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError:
        return False
    named = FORMATS.get(suffix_of(path)) == "dicom"
    return start[128:] == b"DICM" or (named and start[:2] in (b"\x02\0", b"\x08\0"))


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
            from .dicom import series_paths

            images += series_paths(Path(root), slices)
    return images


def _is_mask(path: Path, stems: set[str]) -> bool:
    """A mask is named after an image beside it, as in x.nii.gz and x_gt.nii.gz."""
    stem = stem_of(path)
    return any(stem.endswith(end) and stem.removesuffix(end) in stems for end in _MASK_ENDINGS)


def _raise(error: OSError) -> None:
    raise error
