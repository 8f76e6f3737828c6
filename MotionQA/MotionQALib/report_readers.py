"""Readers' own grades in the HTML report: beside the network's, never instead of them."""

from __future__ import annotations

from html import escape

from .results import Assessment, Override
from .scale import SCORE_WORDS


def reader_chip(a: Assessment, frame: int | None, index: int | None) -> str:
    """What a reader says of a place, to stand after the network's grade; empty where none did."""
    for override in a.overrides:
        if (override.frame, override.slice) == (frame, index):
            return (
                f' <span class="reader {override.grade}" title="{escape(_signed(override))}">'
                f"{escape(override.reader)}: {_given(override)}</span>"
            )
    return ""


def reader_table(a: Assessment) -> str:
    """All that readers said of a volume, with name and time; empty where none did."""
    if not a.overrides:
        return ""
    networks = {(row.frame, row.slice): row for row in a.rows()}
    rows = "".join(
        f'<tr><th scope="row">{_place(a, o)}</th>'
        f"<td>{networks[o.frame, o.slice].score} {networks[o.frame, o.slice].grade}</td>"
        f"<td>{_given(o)}</td><td>{escape(o.reader)}</td>"
        f'<td><time datetime="{escape(o.time)}">{escape(_readable(o.time))}</time></td></tr>\n'
        for o in sorted(a.overrides, key=lambda o: (o.slice is not None, o.slice, o.frame))
    )
    return (
        '<table class="readers"><caption>Readers\' own grades</caption><thead><tr><th></th>'
        "<th>Network</th><th>Reader's grade</th><th>Reader</th><th>Time</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table>\n"
    )


def _place(a: Assessment, override: Override) -> str:
    if override.slice is None:
        return "volume"
    at = f", frame {override.frame}" if a.n_frames > 1 else ""
    return f"slice {override.slice}{at}"


def _given(override: Override) -> str:
    score = "" if override.score is None else f"{override.score} "
    return f"{score}{escape(override.grade)}"


def _signed(override: Override) -> str:
    word = "" if override.score is None else f" ({SCORE_WORDS[override.score]})"
    return f"{_given(override)}{word}, {override.reader}, {_readable(override.time)}"


def _readable(time: str) -> str:
    """Date, hour and minute of an ISO 8601 time; its offset stays in the JSON."""
    return time[:16].replace("T", " ")
