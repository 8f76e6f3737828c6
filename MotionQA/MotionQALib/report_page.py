"""The HTML of a report: an overview of the volumes, then every volume with its slices."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .assessment_summary import summary
from .report_readers import reader_chip, reader_table
from .report_style import page_head
from .results import Assessment, Failure
from .scale import SCORE_WORDS, SCORES, Grade, grade_of
from .version import version

if TYPE_CHECKING:
    from .checkpoints import Card
    from .slice_pictures import SlicePicture


def page(
    assessments: Sequence[Assessment],
    pictures: Sequence[Sequence[SlicePicture]],
    card: Card | None,
    failures: Sequence[Failure],
) -> Iterator[str]:
    """Yield the page piece by piece; all that comes from files is escaped."""
    pictures = pictures or [()] * len(assessments)
    yield page_head("Motion report")
    yield _header(assessments, card, failures)
    yield _controls(assessments, pictures)
    yield "<main>\n"
    yield _failures(failures)
    if assessments:
        yield _overview(assessments)
    for number, (assessment, drawn) in enumerate(zip(assessments, pictures, strict=True)):
        yield _volume(number, assessment, drawn)
    yield "</main>\n"
    yield _footer(card)
    yield "</body>\n</html>\n"


def _header(assessments, card, failures) -> str:
    counts = Counter(assessment.volume_grade for assessment in assessments)
    parts = [
        f'<li>{_grade_chip(grade)} <b class="count">{counts[grade]}</b></li>'
        for grade in reversed(Grade)
        if counts[grade]
    ]
    if failures:
        parts.append(f'<li>not graded <b class="count">{len(failures)}</b></li>')
    made = datetime.now().strftime("%Y-%m-%d %H:%M")
    by = "" if card is None else f" · {escape(card.title)}"
    notices = sorted({a.notice for a in assessments} | {"" if card is None else card.notice})
    notice = "".join(f'<p class="notice">{escape(_capital(n))}.</p>\n' for n in notices if n)
    return (
        f"<header>\n<h1>Motion report</h1>\n"
        f'<p class="meta">{_count(len(assessments), "volume")} · MotionQA {escape(version())}{by} '
        f'· {made}</p>\n<ul class="totals">{"".join(parts)}</ul>\n{notice}</header>\n'
    )


def _controls(assessments, pictures) -> str:
    if not any(pictures):
        return ""
    relevance = ""
    if any(picture.overlay for drawn in pictures for picture in drawn):
        relevance = (
            '<label><input type="checkbox" id="relevance"> '
            "Show where the network saw motion</label>"
        )
    return (
        '<nav class="controls"><span>Pictures</span>'
        '<label><input type="radio" name="size" id="small"> small</label>'
        '<label><input type="radio" name="size" id="middle" checked> middle</label>'
        '<label><input type="radio" name="size" id="large"> large</label>'
        '<label><input type="checkbox" id="worse"> Only moderate, severe and uncertain slices'
        f"</label>{relevance}</nav>\n"
    )


def _failures(failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    items = "".join(
        f"<li>{escape(reason)} <code>{escape(source)}</code></li>\n" for source, reason in failures
    )
    return f'<section class="failures"><h2>Not graded</h2>\n<ul>\n{items}</ul></section>\n'


def _overview(assessments: Sequence[Assessment]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><a href="#v{number}">{escape(a.volume)}</a></th>'
        f"<td>{_grade_chip(a.volume_grade)}{_uncertain_mark(a.volume_uncertain)}"
        f"{reader_chip(a, None, None)}</td>"
        f'<td class="number">{a.volume_score}</td>'
        f'<td class="number">{a.volume_expected_score:.1f}</td>'
        f"<td>{_bars(a.volume_probabilities)}</td>"
        f"<td>{_strip(number, a)}</td></tr>\n"
        for number, a in enumerate(assessments)
    )
    frames = any(a.n_frames > 1 for a in assessments)
    worst = ", each at its worst frame" if frames else ""
    return (
        '<section><table class="overview"><thead><tr><th>Volume</th><th>Motion</th>'
        '<th class="number">Score</th><th class="number">Expected</th>'
        f"<th>P(1) … P(5)</th><th>Slices from 0{worst}</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table></section>\n"
    )


def _strip(number: int, a: Assessment) -> str:
    cells = []
    for index, frame in enumerate(a.worst_frames.tolist()):
        cells.append(
            f'<a class="cell {_class(a, frame, index)}" href="#v{number}s{index}" '
            f'title="{_described(a, frame, index)}">{_number(a, frame, index)}</a>'
        )
    return f'<span class="strip">{"".join(cells)}</span>'


def _described(a: Assessment, frame: int, index: int) -> str:
    score = int(a.scores[frame, index])
    at = f", frame {frame}" if a.n_frames > 1 else ""
    if not score:
        return f"slice {index}{at}: no grade, it is blank or missing"
    doubt = ", uncertain" if a.uncertain[frame, index] else ""
    return f"slice {index}{at}: score {score}, {grade_of(score).label}{doubt}"


def _class(a: Assessment, frame: int, index: int) -> str:
    score = int(a.scores[frame, index])
    return grade_of(score).label if score else "none"


def _number(a: Assessment, frame: int, index: int) -> str:
    """The score, ``?`` where it is uncertain; a dash where there is none."""
    score = int(a.scores[frame, index])
    return f"{score}{'?' if a.uncertain[frame, index] else ''}" if score else "–"


def _volume(number: int, a: Assessment, pictures: Sequence[SlicePicture]) -> str:
    figures = "".join(_figure(number, a, picture) for picture in pictures)
    drawn = f'<div class="slices">\n{figures}</div>\n' if figures else ""
    remarks = "".join(f'<p class="remark">{escape(remark)}</p>\n' for remark in a.remarks)
    frames = f"{_count(a.n_frames, 'frame')} × " if a.n_frames > 1 else ""
    source = f"<code>{escape(a.source)}</code> · " if a.source else ""
    return (
        f'<section class="volume" id="v{number}">\n<h2>{escape(a.volume)} '
        f"{_grade_chip(a.volume_grade)}{_uncertain_mark(a.volume_uncertain)}"
        f"{reader_chip(a, None, None)}</h2>\n"
        f'<p class="verdict">{escape(summary(a))}</p>\n'
        f'<p class="meta">{source}{frames}{_count(a.n_slices, "slice")} · {escape(a.device)}, '
        f"{escape(a.precision)}, {a.seconds:.2g} s</p>\n{remarks}{reader_table(a)}{drawn}"
        f"{_frames(a)}</section>\n"
    )


def _figure(number: int, a: Assessment, picture: SlicePicture) -> str:
    frame, index = picture.frame, picture.slice
    score, uncertain = int(a.scores[frame, index]), bool(a.uncertain[frame, index])
    at = f", frame {frame}" if a.n_frames > 1 else ""
    where = f'<span class="where">slice {index}{at}</span>'
    if not score:
        return (
            f'<figure class="none plain" id="v{number}s{index}"><div class="picture">'
            f'<img alt="{_described(a, frame, index)}" loading="lazy" '
            f'src="{_data(picture.image)}"></div>\n'
            f"<figcaption>{where}no grade{reader_chip(a, frame, index)}</figcaption></figure>\n"
        )
    grade = grade_of(score)
    overlay = ""
    if picture.overlay:
        overlay = f'<img class="overlay" alt="" loading="lazy" src="{_data(picture.overlay)}">'
    plain = " plain" if grade is Grade.MILD and not uncertain else ""
    return (
        f'<figure class="{grade.label}{plain}" id="v{number}s{index}">'
        f'<div class="picture"><img alt="{_described(a, frame, index)}" loading="lazy" '
        f'src="{_data(picture.image)}">{overlay}</div>\n'
        f'<figcaption>{where}<b class="score">{score}</b>{_grade_chip(grade)}'
        f"{_bars(a.probabilities[frame, index])}{_uncertain_mark(uncertain)}"
        f"{reader_chip(a, frame, index)}</figcaption></figure>\n"
    )


def _frames(a: Assessment) -> str:
    """All scores of a cine, a row a slice and a column a frame."""
    if a.n_frames == 1:
        return ""
    head = "".join(f"<th>{frame}</th>" for frame in range(a.n_frames))
    rows = []
    for index in range(a.n_slices):
        cells = "".join(
            f'<td><span class="cell {_class(a, frame, index)}" '
            f'title="{_described(a, frame, index)}">{_number(a, frame, index)}</span></td>'
            for frame in range(a.n_frames)
        )
        rows.append(f'<tr><th scope="row">slice {index}</th>{cells}</tr>\n')
    return (
        "<details><summary>Scores of all frames</summary>\n"
        f'<div class="wide"><table class="frames"><thead><tr><th>frame</th>{head}</tr></thead>'
        f"\n<tbody>\n{''.join(rows)}</tbody></table></div></details>\n"
    )


def _footer(card: Card | None) -> str:
    scale = "".join(
        f"<li>{_grade_chip(grade_of(score))} <b>{score}</b> {SCORE_WORDS[score]}</li>"
        for score in reversed(SCORES)
    )
    return (
        f'<footer>\n<ul class="scale">{scale}</ul>\n'
        "<p>The score is the median of the five probabilities; <i>expected</i> is their mean. "
        "A <b>?</b> marks a grade that the network is not sure of. Slices and frames count from "
        "0 along the file's own axes, and pictures lie as they are stored.</p>\n"
        f"{'' if card is None else _card(card)}</footer>\n"
    )


def _card(card: Card) -> str:
    facts: dict[str, Any] = {
        "Checkpoint": f"{card.title} ({card.name})",
        "Backbone": card.backbone,
        "Trained on": f"{card.motion} motion",
        **{
            _capital(key.replace("_", " ")): value
            for key, value in card.training.items()
            if not _is_nested(value)  # all settings would bury what a reader looks for
        },
        "Licence": card.licence,
        "Notice": _capital(card.notice),
    }
    listed = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(_plain(value))}</dd>\n"
        for name, value in facts.items()
        if value not in (None, "", {}, [])
    )
    metrics = "".join(
        f'<tr><th scope="row">{escape(name.replace("_", " "))}</th><td>{_metric(value)}</td></tr>\n'
        for name, value in card.metrics.items()
    )
    if metrics:
        metrics = (
            "<table><caption>On subjects that took no part in training (95 % interval)</caption>\n"
            f"<tbody>\n{metrics}</tbody></table>\n"
        )
    return (
        f"<details><summary>What graded these volumes</summary>\n<dl>\n{listed}</dl>\n"
        f"{metrics}</details>\n"
    )


def _metric(value: Any) -> str:
    try:
        estimate, low, high = (float(number) for number in value)
    except (TypeError, ValueError):
        return escape(_plain(value))
    return f"{estimate:.3f} <small>({low:.3f} to {high:.3f})</small>"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_nested(value: Any) -> bool:
    parts = value.values() if isinstance(value, Mapping) else ()
    return any(isinstance(part, (Mapping, list, tuple)) for part in parts)


def _bars(probabilities: np.ndarray) -> str:
    """Five small columns, from score 1 on the left to 5."""
    spoken = ", ".join(f"P({s}) {p:.2f}" for s, p in zip(SCORES, probabilities, strict=True))
    columns = "".join(
        f'<rect x="{7 * i}" y="{14 - 13 * p:.1f}" width="6" height="{13 * p + 1:.1f}"/>'
        for i, p in enumerate(probabilities)
    )
    return (
        f'<svg class="bars" viewBox="0 0 34 15" role="img"><title>{spoken}</title>{columns}</svg>'
    )


def _grade_chip(grade: Grade) -> str:
    return f'<span class="chip {grade.label}">{grade.label}</span>'


def _uncertain_mark(uncertain: bool) -> str:
    return ' <span class="doubt">uncertain</span>' if uncertain else ""


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
