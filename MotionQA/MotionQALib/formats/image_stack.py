"""The DICOM images that one volume is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from .dicom_picture import Picture


@dataclass
class Stack:
    """The images of one volume, still unsorted.

    Parameters
    ----------
    pictures : those to be graded
    files : all that belong to it, those left out included
    series : UIDs of its series, or what stands for them
    joins : whether it may be a part of a stack of several series
    part : which of several stacks of one series it is, from 0
    """

    pictures: list[Picture]
    files: set[Path]
    series: tuple[str, ...]
    remarks: list[str] = field(default_factory=list)
    joins: bool = True
    part: int = 0
    parts: int = 1

    @property
    def first(self) -> Picture:
        return min(self.pictures, key=_first_place)

    @property
    def series_uid(self) -> str | None:
        """Of its one series; of several or of a part, a key made of them; None where unknown."""
        if self.series[0].startswith("none "):
            return None
        uid = self.series[0] if len(self.series) == 1 else f"{self.series[0]}+{len(self.series)}"
        return f"{uid}#{self.part}" if self.part else uid


def _first_place(picture: Picture) -> tuple:
    unsized = math.isnan(picture.pixel[0])
    return (unsized, picture.acquisition[1], picture.acquisition[3], str(picture.path))
