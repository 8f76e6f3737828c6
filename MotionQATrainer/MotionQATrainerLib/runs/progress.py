"""What a long run tells its caller while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """One report: ``text`` for people; the rest for a progress bar or a plot.

    Parameters
    ----------
    stage : "data", "train", "validate" or "finish"
    text : a line to show; empty where only the bar moves
    done, total : of the stage, in its own unit
    figures : named numbers, such as an epoch's losses
    """

    stage: str
    text: str = ""
    done: int = 0
    total: int = 0
    figures: dict[str, float] = field(default_factory=dict)


Progress = Callable[[Event], None]


class Stopped(Exception):  # noqa: N818  no error: it was asked for
    """The caller asked to stop; what was finished is kept, and the run can be resumed."""


def silent(event: Event) -> None:
    """Progress for callers that show none."""
