"""What an error says to a person; libraries' own errors run over many lines, or say nothing."""

from __future__ import annotations


def first_line(error: BaseException, otherwise: str | None = None) -> str:
    """The first line of what an error says; of one that says nothing ``otherwise``, or its kind."""
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__ if otherwise is None else otherwise


def reason(error: BaseException, otherwise: str | None = None) -> str:
    """`first_line` without its full stop, to stand in brackets."""
    return first_line(error, otherwise).rstrip(".")


def last_line(text: str, otherwise: str = "") -> str:
    """The last line that is not blank, as of a process's error stream."""
    said = [line for line in text.splitlines() if line.strip()]
    return said[-1].strip() if said else otherwise


def sentence(error: BaseException) -> str:
    """All that an error says, on one line; the system's errors name their file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'A file'}: {error.strerror}."
    return " ".join(str(error).split()) or type(error).__name__
