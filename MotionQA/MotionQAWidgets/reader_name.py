"""The reader's name, remembered in Slicer's settings for all modules of MotionQA."""

from __future__ import annotations

import getpass

import slicer

KEY = "MotionQA/Reader"


def remembered() -> str:
    """What the reader typed last; at first, who Slicer or the computer says they are."""
    return str(slicer.app.userSettings().value(KEY) or "") or _user()


def remember(name: str) -> None:
    slicer.app.userSettings().setValue(KEY, name)


def _user() -> str:
    person = slicer.app.applicationLogic().GetUserInformation()
    known = person.GetName() or person.GetLogin()
    if known:
        return known
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return ""
