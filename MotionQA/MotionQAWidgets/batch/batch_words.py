"""How a batch stands, in sentences."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..result_sentence import ranges
from .batch_run import BatchRun


def progress_sentence(run: BatchRun) -> str:
    """Such as "412 of 2,000 volumes, 38 a minute, 42 minutes left; 3 could not be graded"."""
    if run.total is None:
        return run.sentence or _("Looking for volumes …")
    parts = [_("{done:,} of {total:,} volumes").format(done=run.done, total=run.total)]
    if run.running and run.per_minute is not None:
        parts.append(_("{rate} a minute").format(rate=_short(run.per_minute)))
        if run.left:
            parts.append(_("{time} left").format(time=duration(run.seconds_left)))
    elif run.running and run.left and not run.device:
        parts.append(_("loading the network …"))
    text = ", ".join(parts)
    if run.failures:
        text = _("{text}; {count:,} could not be graded").format(text=text, count=len(run.failures))
    if run.stopping and run.running:
        text = _("{text}; stopping …").format(text=text)
    elif not run.running and run.left:
        text = _("{text}; {left:,} left, Go on grades them").format(text=text, left=run.left)
    return text


def duration(seconds: float) -> str:
    """Such as "42 minutes", rounded to what matters."""
    if seconds < 90:
        return _("{count} seconds").format(count=max(1, round(seconds)))
    if seconds < 90 * 60:
        return _("{count} minutes").format(count=round(seconds / 60))
    if seconds < 48 * 3600:
        return _("{count} hours").format(count=_short(seconds / 3600))
    return _("{count} days").format(count=_short(seconds / 86400))


def slices_to_see(severe: list[int], moderate: list[int]) -> str:
    """Which slices have motion; slices count from 0."""
    parts = []
    if severe:
        parts.append(_("severe {slices}").format(slices=ranges(severe)))
    if moderate:
        parts.append(_("moderate {slices}").format(slices=ranges(moderate)))
    return "; ".join(parts) or _("all slices mild")


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
