"""What kind of image a file is, by its name or by its first bytes."""

from __future__ import annotations

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
