"""What kind of image a file is, by its name or by its first bytes."""

from __future__ import annotations

from pathlib import Path

from .volume_error import display_name

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


def is_named_dicom(path: Path) -> bool:
    """Whether the name alone says DICOM."""
    return FORMATS.get(suffix_of(path)) == "dicom" and not path.name.startswith(".")


def is_dicom(path: Path) -> bool:
    """DICOM by its preamble or, where a writer left that out, by its first tag.

    What may not be read is taken at its name's word, so that nobody misses it.
    """
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError:
        return is_named_dicom(path)
    return start[128:] == b"DICM" or _begins_with_tag(start, path)


def _begins_with_tag(start: bytes, path: Path) -> bool:
    """Whether a file without preamble begins with one of DICOM's first elements."""
    if start[:2] not in (b"\x02\0", b"\x08\0"):
        return False
    if is_named_dicom(path):
        return True
    known = start[2:4] in _FIRST_ELEMENTS
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    length = int.from_bytes(start[4:8], "little")
    return known and (explicit or (length <= 64 and length % 2 == 0))


_FIRST_ELEMENTS = {
    bytes((low, 0)) for low in (0, 1, 2, 3, 5, 8, 0x10, 0x12, 0x13, 0x14, 0x16, 0x18, 0x20)
}
"""Of the groups 0002 and 0008, in the order of bytes that nearly all files have."""
