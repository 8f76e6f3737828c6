"""A confusion matrix as a drawing (SVG) for a page; its colours are the page's own."""

from __future__ import annotations

from html import escape

from .agreement import RaterComparison

CELL = 36
LEFT, TOP = 70, 40
FAINTEST, DARKEST = 0.08, 0.6
"""Opacity of a cell with one place and of the fullest one; ink stays readable on it."""


def confusion_svg(comparison: RaterComparison) -> str:
    """Draw a comparison of two raters: rows the first, columns the second, counts in the cells."""
    matrix, names = comparison.confusion, comparison.categories
    first, second = _axes(comparison)
    side = CELL * len(names)
    most = max(int(matrix.max()), 1)
    parts = [
        f'<text x="{LEFT + side / 2}" y="12" text-anchor="middle">{escape(second)}</text>',
        f'<text transform="translate(12 {TOP + side / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(first)}</text>",
    ]
    for row, name in enumerate(names):
        middle = row * CELL + CELL / 2
        parts += [
            f'<text x="{LEFT + middle}" y="{TOP - 8}" text-anchor="middle">{name}</text>',
            f'<text x="{LEFT - 6}" y="{TOP + middle + 4}" text-anchor="end">{name}</text>',
        ]
        for column in range(len(names)):
            count = int(matrix[row, column])
            parts.append(_cell(row, column, count, most))
    parts.append(f'<rect class="grid" x="{LEFT}" y="{TOP}" width="{side}" height="{side}"/>')
    width, height = LEFT + side + 8, TOP + side + 8
    spoken = f"{first} against {second}: {int(matrix.trace())} of {int(matrix.sum())} equal"
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img"><title>{escape(spoken)}</title>\n'
        f"{''.join(parts)}</svg>\n"
    )


def _axes(comparison: RaterComparison) -> tuple[str, str]:
    if comparison.kind == "self":
        return f"{comparison.raters[0]}, 1st", "2nd"
    return comparison.raters[0], comparison.raters[1]


def _cell(row: int, column: int, count: int, most: int) -> str:
    if not count:
        return ""
    x, y = LEFT + column * CELL, TOP + row * CELL
    opacity = FAINTEST + (DARKEST - FAINTEST) * count / most
    return (
        f'<rect class="shade" x="{x}" y="{y}" width="{CELL}" height="{CELL}" '
        f'fill-opacity="{opacity:.2f}"/>'
        f'<text x="{x + CELL / 2}" y="{y + CELL / 2 + 4}" text-anchor="middle">{count}</text>'
    )
