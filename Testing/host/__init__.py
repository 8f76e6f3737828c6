"""Stands in for 3D Slicer in tests and in the demo: see README.md."""

from __future__ import annotations

from .host import Host, start
from .spelling import pythonqt

__all__ = ["Host", "pythonqt", "start"]
