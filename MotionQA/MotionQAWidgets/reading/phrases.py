"""What the reader is told about scores, saving and time, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slicer.i18n import tr as _

from MotionQALib.reading.blinding import Blinding, Remark
from MotionQALib.reading.score_entry import ScoreEntry
from MotionQALib.reading.worklist import Item
from MotionQALib.scale import Grade

from ..wording import grade_name
from .score_buttons import score_in_words

GOOD, BAD = "#2e7d32", "#b0304f"


def grade_of_entry(given: ScoreEntry) -> Grade:
    return Grade[given.grade.upper()]


def entry(given: ScoreEntry) -> str:
    """Such as "4 · good", or "mild" where only a grade is known."""
    return grade_name(grade_of_entry(given)) if given.score is None else score_in_words(given.score)


def saved(given: ScoreEntry, where: str = "") -> str:
    """Such as "Saved 14:03:22: Case 12, slice 4: 4 · good"."""
    try:
        when = datetime.fromisoformat(given.time).astimezone().strftime("%H:%M:%S")
    except ValueError:
        when = given.time
    text = _("Saved {time}: {where}: {score}") if where else _("Saved {time}: {score}")
    return text.format(time=when, where=where, score=entry(given))


def not_saved(why: str, count: int, elsewhere: str) -> str:
    text = _("NOT SAVED: {why}") if count == 1 else _("{count} SCORES NOT SAVED: {why}")
    said = text.format(why=why, count=count)
    if elsewhere:
        kept = _("Kept in {file} meanwhile; try again when the study can be written.")
        said = f"{said} {kept.format(file=elsewhere)}"
    return said


def progress(done: int, total: int, seconds: float | None, lost: int = 0) -> str:
    """Such as "37 of 160, about 40 minutes left"; lost are cases that cannot be read."""
    text = _("{done} of {total}") if seconds is None else _("{done} of {total}, {left} left")
    left = "" if seconds is None else duration(seconds)
    if 0 < done == total:
        text = _("All {total} scored")
    said = text.format(done=done, total=total, left=left)
    if lost:
        said += _("; {count} cannot be read").format(count=lost)
    return said


def told(said: Sequence[str], blinding: Blinding) -> str:
    """Sentences that may name images, as the reader may be told them."""
    hidden = _("Problems with images: {count}. Which images stays hidden, as the study is blinded.")
    return " ".join(blinding.tell([sentence for sentence in said if sentence != ""], hidden))


def doubts(item: Item, blinding: Blinding) -> str:
    """What was remarked when a case was read, which to a blinded reader may say whose it is."""
    if not item.case.remarks:
        return ""
    text = _(
        "Case {number}: how its file was read is to be doubted ({count}); whoever runs the study "
        "sees why."
    )
    hidden = text.format(number=item.number, count=len(item.case.remarks))
    return told([Remark(remark, blinded=hidden) for remark in item.case.remarks], blinding)


def duration(seconds: float) -> str:
    """As exact as it can be known: minutes, in tens where they are many."""
    minutes = seconds / 60
    if minutes < 1.5:
        return _("about a minute")
    if minutes < 15:
        return _("about {minutes} minutes").format(minutes=round(minutes))
    if minutes < 95:
        return _("about {minutes} minutes").format(minutes=5 * round(minutes / 5))
    return _("about {hours} hours").format(hours=f"{minutes / 60:.1f}")
