"""Whose image it is, as its name tells.

One rule for training and for reader studies: what must stay together in a split is also drawn
together in a bootstrap.
"""

from __future__ import annotations

import re

from .formats.kinds import FORMATS

# What names the phase, frame or view of a patient rather than the patient.
_PHASE = re.compile(r"[-_. /\\](ED|ES|frame\d+|4d|cine|[sl]ax?)$", re.IGNORECASE)


def subject_of(image: str) -> str:
    """Return the subject an image name tells: P001 of ``P001-1-ED``, else the name itself.

    A suffix that names a phase or frame is left out, such as ``_frame01`` and ``_ED``: ED and ES
    of a patient must not be told apart.
    """
    name = re.split(r"[/\\]", image)[-1]
    volunteer = re.match(r"P\d+(?=-\d)", name)
    if volunteer:
        return volunteer.group()
    subject = without_suffix(image)
    while shorter := _PHASE.sub("", subject):
        if shorter == subject:
            return subject
        subject = shorter
    return image


def without_suffix(name: str) -> str:
    """An image's name or path without .nii.gz and the like."""
    lower = name.lower()
    fitting = [suffix for suffix in FORMATS if lower.endswith(suffix)]
    return name[: len(name) - len(max(fitting, key=len, default=""))]
