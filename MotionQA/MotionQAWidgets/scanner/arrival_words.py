"""What became of a series that arrived, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slicer.i18n import tr as _

from MotionQALib.arrivals.arrival_entry import Entry
from MotionQALib.scale import grade_of

from ..result_sentence import ranges
from ..wording import grade_name


def clock_time(entry: Entry) -> str:
    """When it was graded: the time, and the date of another day."""
    try:
        time = datetime.fromisoformat(entry.time).astimezone()
    except ValueError:
        return entry.time
    today = time.date() == datetime.now().astimezone().date()
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def title(entry: Entry) -> str:
    """Such as "7 · cine_sax"."""
    number = "" if entry.number is None else str(entry.number)
    told = [text for text in (number, entry.description) if text]
    return " · ".join(told) or _("(no description)")


def grade_text(entry: Entry) -> str:
    """Score and grade; of what was not graded, what became of it."""
    words = {
        "skipped": _("not graded"),
        "refused": _("not readable"),
        "incomplete": _("incomplete"),
    }
    if entry.status != "graded":
        return words.get(entry.status, entry.status)
    text = _("{score} · {grade}?") if entry.uncertain else _("{score} · {grade}")
    return text.format(score=entry.score, grade=grade_name(grade_of(entry.score)))


def acquired_again(entry: Entry, entries: Sequence[Entry]) -> dict[int, Entry]:
    """Of each slice that a later series acquired again, the last such series.

    ``entries`` come newest first; their times are not asked, since a clock may be set.
    """
    return {
        slice_: later
        for later in reversed(entries)
        for repeated in later.repeated
        if repeated.series == entry.series
        for slice_, _new in repeated.slices
    }


def still_to_acquire(entry: Entry, entries: Sequence[Entry]) -> list[int]:
    """Its severe slices, but those that were acquired again: if still severe, the later series has
    them in its own list."""
    return sorted(set(entry.again) - set(acquired_again(entry, entries)))


def slices_text(entry: Entry, entries: Sequence[Entry]) -> str:
    """Which slices to acquire again, what it replaces, and by what it was replaced."""
    if entry.status != "graded":
        return entry.reason
    left = still_to_acquire(entry, entries)
    lines = [_("Acquire again: {slices}").format(slices=_slices(left))] if left else []
    if not entry.again and not entry.repeated:
        lines.append(_("No severe slice"))
    for repeated in entry.repeated:
        text = _("instead of series {number}, {change}")
        number = "?" if repeated.number is None else repeated.number
        lines.append(text.format(number=number, change=repeated.sentence))
    by: dict[str, tuple[Entry, list[int]]] = {}
    for slice_, later in acquired_again(entry, entries).items():
        by.setdefault(later.series, (later, []))[1].append(slice_)
    for later, slices in by.values():
        text = _("{slices} acquired again in series {number}")
        number = "?" if later.number is None else later.number
        lines.append(text.format(slices=_slices(sorted(slices)), number=number))
    return "\n".join(lines)


def headline(entries: Sequence[Entry]) -> str:
    """What the last study still lacks; empty where nothing was graded yet."""
    graded = [entry for entry in entries if entry.status == "graded"]
    if not graded:
        return ""
    study = [entry for entry in graded if entry.study == graded[0].study]
    parts = [
        _("series {number}, {slices}").format(
            number="?" if entry.number is None else entry.number, slices=_slices(left)
        )
        for entry in reversed(study)
        if (left := still_to_acquire(entry, study))
    ]
    if not parts:
        return _("This study: nothing to acquire again.")
    return _("This study, to acquire again: {slices}.").format(slices="; ".join(parts))


def _slices(numbers: Sequence[int]) -> str:
    """Such as "slice 7" or "slices 4–6"; they count from 0."""
    text = _("slice {slices}") if len(numbers) == 1 else _("slices {slices}")
    return text.format(slices=ranges(numbers))
