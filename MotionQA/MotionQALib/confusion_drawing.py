"""Confusion matrices drawn: one layout, for pages (SVG) and for whoever else paints.

Rows are the first rater or the labels, columns the second or the network; the fuller, the darker.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Protocol

import numpy as np

LEFT, TOP, REST = 0.42, 0.24, 0.04
"""What surrounds the matrix, in shares of its side."""

SIDE = 180
"""Of the matrix in a page, in the SVG's units; its letters have 11."""

FAINTEST, DARKEST = 0.08, 0.6
"""Opacity of a cell with few and of the fullest one; ink stays readable on it."""

CONFUSION_STYLE = """
.matrices { display: flex; flex-wrap: wrap; gap: 1rem; }
.confusion { width: 270px; font-size: 11px; fill: var(--ink); }
.confusion .shade { fill: var(--accent); }
.confusion .grid { fill: none; stroke: var(--line); }
"""


class Sheet(Protocol):
    """What is painted on; lengths in shares of the matrix's side."""

    def cell(self, x: float, y: float, side: float, shade: float, same: bool) -> None:
        """A square with its corner at the upper left, shaded from 0 to 1; ``same``: agreement."""

    def text(self, x: float, y: float, text: str, *, shade: float = 0.0, turned=False) -> None:
        """Text around a place, on a cell so dark; turned a quarter to the left."""


def draw_confusion(
    sheet: Sheet,
    counts: np.ndarray,
    names: Sequence[str],
    rows: str,
    columns: str,
    *,
    of_rows: bool = False,
) -> None:
    """Draw counts (n, n) with their names; ``of_rows``: shares of the row, and in writing."""
    counts = np.asarray(counts)
    step = 1 / len(names)
    whole = counts.sum(axis=1, keepdims=True) if of_rows else counts.max(keepdims=True)
    shares = counts / np.maximum(whole, 1)
    sheet.text(LEFT + 0.5, 0.06, columns)
    sheet.text(0.05, TOP + 0.5, rows, turned=True)
    for row, name in enumerate(map(str, names)):
        middle = (row + 0.5) * step
        sheet.text(LEFT + middle, TOP - 0.06, name)
        sheet.text(0.26, TOP + middle, name)
        for column in range(len(names)):
            count, share = int(counts[row, column]), float(shares[row, column])
            x, y = LEFT + column * step, TOP + row * step
            sheet.cell(x, y, step, share, row == column)
            if count or of_rows:
                said = f"{count} ({share:.0%})" if of_rows else str(count)
                sheet.text(x + step / 2, y + step / 2, said, shade=share)


def confusion_svg(
    counts: np.ndarray, names: Sequence[str], rows: str, columns: str, *, of_rows: bool = False
) -> str:
    """The drawing as an SVG; its colours are the page's own (`CONFUSION_STYLE`)."""
    counts, sheet = np.asarray(counts), _SvgSheet()
    draw_confusion(sheet, counts, names, rows, columns, of_rows=of_rows)
    width, height = ((margin + 1 + REST) * SIDE for margin in (LEFT, TOP))
    spoken = f"{rows} against {columns}: {int(counts.trace())} of {int(counts.sum())} equal"
    return (
        f'<svg class="confusion" viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
        f"<title>{escape(spoken)}</title>\n{''.join(sheet.parts)}</svg>\n"
    )


class _SvgSheet:
    def __init__(self) -> None:
        corner = f'x="{LEFT * SIDE:.1f}" y="{TOP * SIDE:.1f}"'
        self.parts = [f'<rect class="grid" {corner} width="{SIDE}" height="{SIDE}"/>']

    def cell(self, x: float, y: float, side: float, shade: float, same: bool) -> None:
        if shade:
            self.parts.append(
                f'<rect class="shade" x="{x * SIDE:.1f}" y="{y * SIDE:.1f}" '
                f'width="{side * SIDE:.1f}" height="{side * SIDE:.1f}" '
                f'fill-opacity="{FAINTEST + (DARKEST - FAINTEST) * shade:.2f}"/>'
            )

    def text(self, x: float, y: float, text: str, *, shade: float = 0.0, turned=False) -> None:
        x, y = x * SIDE, y * SIDE + (0 if turned else 4)
        where = f'x="{x:.1f}" y="{y:.1f}"'
        if turned:
            where = f'transform="translate({x:.1f} {y:.1f}) rotate(-90)"'
        self.parts.append(f'<text {where} text-anchor="middle">{escape(text)}</text>')
