"""What a program that knows of arriving series and the process that grades them say to each other.

A JSON object a line; see `protocol` for how.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..protocol import Message

# Requests --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StartArrivals(Message):
    """The first line: where results go, what grades, and the seconds of `arrivals.Arrivals`."""

    output: str
    checkpoint: str
    device: str = "auto"
    quiet: float
    patience: float


@dataclass(frozen=True, kw_only=True)
class ImagesArrived(Message):
    """DICOM files that are there and whole; files that hold no image are passed over."""

    paths: list


# Events ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ArrivalsRefused(Message):
    """Nothing is graded; the sentence says why. The last line."""

    sentence: str


@dataclass(frozen=True, kw_only=True)
class ArrivalsReady(Message):
    """What is known from before: pairs of series UID and number of images."""

    known: list


@dataclass(frozen=True, kw_only=True)
class ArrivalsDevice(Message):
    """The network is loaded; where it computes and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class SeriesDone(Message):
    """A series was dealt with.

    ``entry`` is an `arrival_entry.Entry` as a dictionary, ``line`` where it begins in the results'
    file, in bytes, and ``new`` tells it from those that were dealt with before this process began.
    """

    entry: dict
    line: int
    new: bool


@dataclass(frozen=True, kw_only=True)
class ArrivalsSaid(Message):
    """A sentence for people, as on a file that is damaged."""

    sentence: str
