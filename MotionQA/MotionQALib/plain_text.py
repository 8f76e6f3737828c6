"""Text from files of others that is shown to people: without what steers a terminal or hides."""

from __future__ import annotations

import re

# C0 and C1 controls, what turns the direction of writing, and halves of a letter.
_STEERING = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)


def is_plain(text: str) -> bool:
    """Whether the text is one line of letters, without anything that steers."""
    return _STEERING.search(text) is None


def plain(text: str, keep: str = "") -> str:
    r"""The text with everything that steers written out, but for the characters to keep.

    >>> plain("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return _STEERING.sub(lambda found: _written(found.group(), keep), text)


def _written(letter: str, keep: str) -> str:
    return letter if letter in keep else letter.encode("unicode_escape").decode("ascii")
