"""Charts as SVG text, for reports: no drawing library, sharp in print, light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 26, 34

CHART_STYLE = """.charts { display: flex; flex-wrap: wrap; gap: 1rem; margin: .5rem 0 .8rem; }
.chart { width: 420px; max-width: 100%; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; font-size: 11px; fill: var(--ink); }
.chart .axis { stroke: var(--line); } .chart .soft { fill: var(--soft); }
.chart polyline { fill: none; stroke-width: 2; } .chart .diagonal { stroke: var(--soft);
  stroke-dasharray: 4 4; }
.chart .s0 { stroke: #2b7bba; fill: #2b7bba; } .chart .s1 { stroke: #d9861b; fill: #d9861b; }
.chart polyline.s0, .chart polyline.s1 { fill: none; } .chart text.s0, .chart text.s1 {
  stroke: none; }
"""


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], x_title: str) -> str:
    """A chart of at most two lines; points that are no numbers are left out."""
    series = {
        name: [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        for name, points in series.items()
    }
    everything = [point for points in series.values() for point in points]
    if not everything:
        return ""
    x_low, x_high = _range([x for x, _ in everything])
    y_low, y_high = _range([y for _, y in everything])
    frame = _Frame(x_low, x_high, y_low, y_high)
    parts = [frame.axes(x_title)]
    for number, (name, points) in enumerate(series.items()):
        drawn = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)
        parts.append(f'<polyline class="s{number}" points="{drawn}"/>')
        parts += [
            f'<circle class="s{number}" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2"/>'
            for x, y in points
        ]
        across = LEFT + 150 + 130 * number
        parts.append(f'<text class="s{number}" x="{across}" y="16">{escape(name)}</text>')
    return _svg(title, parts)


def reliability(title: str, points: Sequence[Mapping[str, float]]) -> str:
    """Share of right grades against their probability (`report_figures.reliability_points`)."""
    frame = _Frame(0.0, 1.0, 0.0, 1.0)
    total = sum(point["count"] for point in points)
    parts = [
        frame.axes("probability of the reported grade; height: share that is right"),
        f'<line class="diagonal" x1="{frame.x(0)}" y1="{frame.y(0)}" x2="{frame.x(1)}" '
        f'y2="{frame.y(1)}"/>',
    ]
    for point in points:
        x, y, count = point["confidence"], point["right"], point["count"]
        radius = 2 + 6 * math.sqrt(count / total)
        parts.append(
            f'<circle class="s0" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="{radius:.1f}">'
            f"<title>{count} slices: {x:.2f}, right {y:.2f}</title></circle>"
        )
    return _svg(title, parts)


class _Frame:
    """From numbers to pixels."""

    def __init__(self, x_low: float, x_high: float, y_low: float, y_high: float) -> None:
        self.x_low, self.x_high, self.y_low, self.y_high = x_low, x_high, y_low, y_high

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def axes(self, x_title: str) -> str:
        parts = []
        for value in np.linspace(self.y_low, self.y_high, 5):
            y = self.y(value)
            parts.append(
                f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text class="soft" x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
                f"{value:.3g}</text>"
            )
        for value in (self.x_low, self.x_high):
            parts.append(
                f'<text class="soft" x="{self.x(value):.1f}" y="{HEIGHT - BOTTOM + 14}" '
                f'text-anchor="middle">{value:g}</text>'
            )
        parts.append(
            f'<text class="soft" x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 6}" '
            f'text-anchor="middle">{escape(x_title)}</text>'
        )
        return "".join(parts)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><text x="8" y="16" font-weight="600">{escape(title)}</text>'
        f"{''.join(parts)}</svg>\n"
    )
