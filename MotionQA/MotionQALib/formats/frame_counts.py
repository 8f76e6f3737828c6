"""How many frames a MetaImage or NRRD file promises in its header, of which some readers open one.

Only what Slicer's own readers take for a single volume: an NRRD sequence, whose frames are a list,
they open as one.
"""

from __future__ import annotations

import re
from pathlib import Path

HEADER = 1 << 16
"""Bytes that are looked at; headers are shorter but for long comments."""


def frames_in_header(path: Path) -> int:
    """Frames of a four-dimensional file; 1 of any other, and of what cannot be read."""
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            text = stream.read(HEADER).decode("latin-1")
    except OSError:
        return 1
    if suffix in (".mha", ".mhd"):
        return _last_of_four(_fields(text, "="), "ndims", "dimsize")
    if suffix in (".nrrd", ".nhdr") and text.startswith("NRRD"):
        fields = _fields(text.partition("\n\n")[0], ":")
        if "list" in fields.get("kinds", "").lower().split():
            return 1
        return _last_of_four(fields, "dimension", "sizes")
    return 1


def _fields(text: str, sign: str) -> dict[str, str]:
    lines = (line.partition(sign) for line in re.split(r"\r?\n", text))
    return {key.strip().lower(): value.strip() for key, found, value in lines if found}


def _last_of_four(fields: dict[str, str], axes: str, sizes: str) -> int:
    lengths = fields.get(sizes, "").split()
    if fields.get(axes) != "4" or len(lengths) != 4 or not all(map(str.isdecimal, lengths)):
        return 1
    return max(1, int(lengths[3]))
