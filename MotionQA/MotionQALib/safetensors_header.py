"""The text that a .safetensors file carries, read with nothing but the standard library.

Slicer's side lists checkpoints before torch, NumPy's reader or safetensors are installed.
"""

from __future__ import annotations

import json
from pathlib import Path

LONGEST = 100_000_000
"""Bytes of a header; the limit of the format."""


def read_metadata(path: str | Path) -> dict[str, str]:
    """Metadata of a file whose tensors are all there. Raises OSError, or ValueError with why not.

    The format: eight bytes with the header's length, the header as JSON, the tensors' bytes.
    """
    with Path(path).open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= LONGEST:
            raise ValueError("it has no header of tensors")
        raw = file.read(size)
        length = file.seek(0, 2)
    try:
        header = json.loads(raw)
        metadata = header.pop("__metadata__", None) or {}
        ends = [tensor["data_offsets"][1] for tensor in header.values()]
        whole = 8 + size + max(ends, default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise ValueError("its header cannot be read") from None
    if length != whole:
        raise ValueError(f"it has {length} bytes, where its header tells of {whole}")
    return metadata
