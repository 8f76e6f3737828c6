"""Which MotionQA this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """MotionQA's version; Slicer runs it from its sources, which are not installed."""
    try:
        return metadata.version("motionqa")
    except metadata.PackageNotFoundError:
        return "not installed"
