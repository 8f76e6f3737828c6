"""What a program that wants a report and the process that writes it say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from .. import protocol


@dataclass(frozen=True, kw_only=True)
class WriteReport(protocol.Message):
    """Write a report to ``output``.

    ``files`` hold the series of that UID, perhaps among others; ``places`` are points of the
    assessment's slices in the patient, (x, y, z) in mm to the left, back and up.
    """

    files: list
    series_uid: str
    assessment: dict
    places: list
    output: str


@dataclass(frozen=True, kw_only=True)
class ReportWritten(protocol.Message):
    """The report is in the file ``output``."""

    output: str
