"""A study's agreement, written for a terminal, for programs and for people.

for line in lines(report): print(line)
write_json(report, path)
write_html(report, path)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from ..bootstrap import Interval
from ..confusion_drawing import CONFUSION_STYLE, confusion_svg
from ..report_style import page_head
from ..version import version
from ..whole_files import written_whole
from .agreement import FAR, SCALES, Disagreement, RaterComparison, Report
from .agreement_statistics import TITLES

JSON_FORMAT = 1

HEADINGS = {"score": "Scores, 1 to 5", "grade": "Grades: mild, moderate, severe"}


def shown(name: str, interval: Interval) -> str:
    """An interval as a person reads it; the agreement in per cent."""
    if name != "agreement" or interval.value != interval.value:
        return str(interval)
    value, *limits = (100 * x for x in (interval.value, interval.low, interval.high))
    return (
        f"{value:.1f}"
        if limits[0] != limits[0]
        else "{:.1f} ({:.1f} to {:.1f})".format(value, *limits)
    )


def lines(report: Report) -> Iterator[str]:
    """The report as text: a table a scale, then the disagreements."""
    readers = ", ".join(f"{name} ({count})" for name, count in report.readers.items())
    yield f"{report.study}: scores of {readers}"
    for scale in SCALES:
        compared = [c for c in report.comparisons if c.scale == scale]
        if compared:
            yield ""
            yield HEADINGS[scale]
            yield from _table(compared)
    if report.disagreements:
        yield ""
        yield f"{FAR} scores or more apart: {len(report.disagreements)}"
        for disagreement in report.disagreements:
            said = ", ".join(f"{who} {score}" for who, score in disagreement.scores.items())
            yield f"  {_where(disagreement)}: {said}"


def foot(report: Report) -> str:
    """How the intervals were made, in a sentence."""
    return (
        f"In brackets the 95 % interval of {report.resamples} bootstrap resamples of subjects "
        f"(seed {report.seed}). κ of several readers is the mean over their pairs (Light); AC2 has "
        "quadratic weights; ICC(2,1) is two-way random, absolute agreement, single rater."
    )


def write_json(report: Report, path: str | Path) -> None:
    """Write every number, undefined ones as null."""
    content = {
        "format": JSON_FORMAT,
        "motionqa": version(),
        "written": datetime.now().astimezone().isoformat(timespec="seconds"),
        "study": report.study,
        "readers": report.readers,
        "bootstrap": {"resamples": report.resamples, "seed": report.seed, "unit": "subject"},
        "comparisons": [_plain(comparison) for comparison in report.comparisons],
        "disagreements": [
            {"image": d.image, "slice": d.slice, "scores": d.scores} for d in report.disagreements
        ],
        "remarks": list(report.remarks),
    }
    with written_whole(path) as file:
        json.dump(content, file, ensure_ascii=False, indent=1, allow_nan=False)
        file.write("\n")


def write_html(report: Report, path: str | Path) -> None:
    """Write a page that needs no other file, with the confusion matrices drawn."""
    with written_whole(path) as file:
        file.writelines(_page(report))


def _plain(comparison: RaterComparison) -> dict:
    matrix = comparison.confusion
    return {
        "kind": comparison.kind,
        "raters": list(comparison.raters),
        "scale": comparison.scale,
        "n": comparison.n,
        "subjects": comparison.subjects,
        **{name: interval.to_list() for name, interval in comparison.values.items()},
        "categories": list(comparison.categories),
        "confusion": None if matrix is None else matrix.tolist(),
    }


def _table(compared: Sequence[RaterComparison]) -> Iterator[str]:
    rows = [["", "n", *TITLES.values()]]
    for comparison in compared:
        values = [shown(name, comparison.values[name]) for name in TITLES]
        rows.append([comparison.title, str(comparison.n), *values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def _where(disagreement: Disagreement) -> str:
    part = "" if disagreement.slice is None else f", slice {disagreement.slice}"
    return f"{disagreement.image}{part}"


def _page(report: Report) -> Iterator[str]:
    yield page_head("Readers' agreement", CONFUSION_STYLE)
    made = datetime.now().strftime("%Y-%m-%d %H:%M")
    readers = ", ".join(f"{escape(name)} ({count})" for name, count in report.readers.items())
    yield (
        f"<header>\n<h1>Readers' agreement: {escape(report.study)}</h1>\n"
        f'<p class="meta">Scores of {readers} · MotionQA {escape(version())} · {made}</p>\n'
        "</header>\n<main>\n"
    )
    if report.remarks:
        items = "".join(f"<li>{escape(remark)}</li>\n" for remark in report.remarks)
        yield f'<section class="failures"><h2>Left out</h2><ul>\n{items}</ul></section>\n'
    for scale in SCALES:
        yield from _section(scale, [c for c in report.comparisons if c.scale == scale])
    yield from _apart(report.disagreements)
    yield f"</main>\n<footer><p>{escape(foot(report))}</p></footer>\n</body>\n</html>\n"


def _section(scale: str, compared: Sequence[RaterComparison]) -> Iterator[str]:
    if not compared:
        return
    head = "".join(f'<th class="number">{escape(title)}</th>' for title in TITLES.values())
    yield (
        f'<section class="volume"><h2>{HEADINGS[scale]}</h2>\n<div class="wide">'
        f'<table class="overview"><thead><tr><th></th><th class="number">n</th>{head}</tr>'
        "</thead>\n<tbody>\n"
    )
    for c in compared:
        cells = "".join(f'<td class="number">{shown(name, c.values[name])}</td>' for name in TITLES)
        yield (
            f'<tr><th scope="row">{escape(c.title)}</th><td class="number">{c.n}</td>{cells}</tr>\n'
        )
    yield '</tbody></table></div>\n<div class="matrices">\n'
    yield from (
        confusion_svg(c.confusion, c.categories, *_axes(c))
        for c in compared
        if c.confusion is not None
    )
    yield "</div></section>\n"


def _axes(comparison: RaterComparison) -> tuple[str, str]:
    if comparison.kind == "self":
        return f"{comparison.raters[0]}, 1st", "2nd"
    return comparison.raters[0], comparison.raters[1]


def _apart(disagreements: Sequence[Disagreement]) -> Iterator[str]:
    if not disagreements:
        return
    yield f'<section class="volume"><h2>{FAR} scores or more apart</h2>\n<ul>\n'
    for d in disagreements:
        said = ", ".join(f"{escape(who)} <b>{score}</b>" for who, score in d.scores.items())
        yield f"<li>{escape(_where(d))}: {said}</li>\n"
    yield "</ul></section>\n"
