"""The page of arriving series: newest first, in each the worst slices first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape

from ..report_style import page_head
from ..scale import SCORE_WORDS, grade_of
from .arrival_entry import Entry

_STYLE = """
.series { border-top: 1px solid var(--line); padding: .7rem 0; }
.series h2 { display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; }
.series time { color: var(--soft); font-weight: 400; }
.worst { display: flex; flex-wrap: wrap; gap: .6rem; margin: .4rem 0 0; padding: 0; }
.worst figure { margin: 0; border: 2px solid; border-radius: 4px; }
.worst img { display: block; max-height: 130px; }
.worst figcaption { padding: .1rem .3rem; font-size: .82rem; }
.again { font-weight: 600; }
.trouble { border: 2px solid; border-radius: 4px; padding: .4rem .6rem; font-weight: 600; }
"""

MOST_SLICES = 6
"""Pictures of a series."""


def page(
    entries: Sequence[Entry],
    pictures: Mapping[str, Mapping[int, str]],
    notice: str = "",
    refresh: int = 10,
    troubles: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the page piece by piece; all that comes from files is escaped.

    Parameters
    ----------
    entries : newest first
    pictures : data URLs by slice, of entries by their content
    refresh : seconds
    troubles : sentences on what keeps series from being graded now
    """
    head = page_head("Motion, series by series", _STYLE)
    again = f'<meta http-equiv="refresh" content="{refresh}">\n'
    yield head.replace("<title>", f"{again}<title>", 1)
    written = datetime.now().strftime("%H:%M:%S")
    yield (
        f'<header>\n<h1>Motion, series by series</h1>\n<p class="meta">Newest first; written '
        f"{written}, shown anew every {refresh} s. Slices count from 0.</p>\n"
    )
    if notice:
        yield f'<p class="notice">{escape(notice[:1].upper() + notice[1:])}.</p>\n'
    for trouble in troubles:
        yield f'<p class="trouble" role="alert">{escape(trouble)}</p>\n'
    yield "</header>\n<main>\n"
    if not entries:
        yield "<p>No series has arrived yet.</p>\n"
    for entry in entries:
        yield _series(entry, pictures.get(entry.content, {}))
    yield "</main>\n</body>\n</html>\n"


def _series(entry: Entry, pictures: Mapping[int, str]) -> str:
    number = "" if entry.number is None else f"Series {entry.number} "
    title = escape(f"{number}{entry.description}".strip() or "A series")
    time = entry.time.replace("T", " ")[:16]
    head = f"<h2><time>{escape(time)}</time> {title} {_result(entry)}</h2>\n"
    parts = [f'<section class="series">\n{head}']
    if entry.status != "graded":
        words = {
            "skipped": "Not graded",
            "refused": "Cannot be graded",
            "incomplete": "Images are missing",
        }
        parts.append(f'<p class="meta">{words[entry.status]}: {escape(entry.reason)}</p>\n')
    else:
        parts.append(_grades(entry, pictures))
    return "".join([*parts, "</section>\n"])


def _grades(entry: Entry, pictures: Mapping[int, str]) -> str:
    again = sorted(entry.again)
    parts = []
    if again:
        many = "s" if len(again) > 1 else ""
        numbers = ", ".join(map(str, again))
        parts.append(f'<p class="again">Acquire again: slice{many} {numbers}</p>\n')
    for repeated in entry.repeated:
        of = "" if repeated.number is None else f" of series {repeated.number}"
        parts.append(f"<p>Acquired again{of}: {escape(repeated.sentence)}</p>\n")
    parts.append(f'<span class="strip">{"".join(map(_cell, *_in_order(entry)))}</span>\n')
    shown = [index for index in from_worst(entry) if index in pictures and entry.scores[index]][
        :MOST_SLICES
    ]
    if shown:
        figures = "".join(_figure(entry, index, pictures[index]) for index in shown)
        parts.append(f'<div class="worst">\n{figures}</div>\n')
    return "".join(parts)


def from_worst(entry: Entry) -> list[int]:
    """Slices, the lowest score first; those without a grade last."""
    return sorted(range(len(entry.scores)), key=lambda index: entry.scores[index] or 9)


def _in_order(entry: Entry) -> tuple[list[int], list[int], list[bool]]:
    order = from_worst(entry)
    return (
        order,
        [entry.scores[index] for index in order],
        [index in entry.doubts for index in order],
    )


def _cell(index: int, score: int, doubt: bool) -> str:
    if not score:
        return f'<span class="cell" title="slice {index}: no grade">{index}: –</span>'
    grade = grade_of(score).label
    said = f"slice {index}: score {score} ({SCORE_WORDS[score]}), {grade}"
    return (
        f'<span class="cell {grade}" title="{said}{", uncertain" if doubt else ""}">'
        f"{index}: {score}{'?' if doubt else ''}</span>"
    )


def _figure(entry: Entry, index: int, url: str) -> str:
    score = entry.scores[index]
    grade = grade_of(score).label
    return (
        f'<figure class="{grade}"><img alt="slice {index}" src="{url}">'
        f"<figcaption>slice {index} <b>{score}</b> {SCORE_WORDS[score]}</figcaption></figure>\n"
    )


def _result(entry: Entry) -> str:
    if entry.status != "graded":
        return ""
    doubt = ' <span class="doubt">uncertain</span>' if entry.uncertain else ""
    return f'<span class="chip {entry.grade}">{entry.grade}</span> {entry.score} of 5{doubt}'
