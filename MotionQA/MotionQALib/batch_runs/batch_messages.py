"""What the process of a batch says, a JSON object a line; see `protocol` for how."""

from __future__ import annotations

from dataclasses import dataclass

from ..protocol import Message
from ..results import Assessment
from ..scale import Grade

# Requests --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StartBatch(Message):
    """The first line: what to grade, with what, and the folder that the results go to."""

    sources: list
    output: str
    checkpoint: str
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class StopBatch(Message):
    """Stop soon; the end of the input means the same. What is graded is kept."""


# Events ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BatchRefused(Message):
    """Nothing was begun; the sentence says why. The last line."""

    sentence: str


@dataclass(frozen=True, kw_only=True)
class VolumesFound(Message):
    """How many volumes there are; those that an earlier run graded follow first."""

    total: int


@dataclass(frozen=True, kw_only=True)
class BatchDevice(Message):
    """The network is loaded; where it computes and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class VolumeGraded(Message):
    """A volume's result in short.

    ``line`` is where the whole of it begins in the results' file, in bytes, and ``picture`` the
    PNG file of its worst slice, empty where there is none. ``known``: by an earlier run.
    """

    path: str
    name: str
    score: int
    expected: float
    uncertain: bool
    severe: list
    moderate: list
    frames: int
    slices: int
    line: int
    picture: str
    known: bool

    @classmethod
    def of(
        cls, assessment: Assessment, *, path: str, line: int, picture: str, known: bool
    ) -> VolumeGraded:
        return cls(
            path=path,
            name=assessment.volume,
            score=assessment.volume_score,
            expected=assessment.volume_expected_score,
            uncertain=bool(assessment.volume_uncertain),
            severe=assessment.slices_graded(Grade.SEVERE),
            moderate=assessment.slices_graded(Grade.MODERATE),
            frames=assessment.n_frames,
            slices=assessment.n_slices,
            line=line,
            picture=picture,
            known=known,
        )


@dataclass(frozen=True, kw_only=True)
class VolumeFailed(Message):
    """A volume, or a source that holds none, could not be graded."""

    path: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class BatchEnded(Message):
    """The last line of a batch that began.

    ``left`` counts the volumes that are neither graded nor failed; ``sentence`` says why, where it
    was not told to stop.
    """

    left: int
    sentence: str
