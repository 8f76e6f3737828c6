"""The phantom's body: heart and thorax as functions of the place between base and apex.

Millimetres; the middle of the left ventricle lies near the origin, the right ventricle to the
left, the chest wall above, the diaphragm below. `z` runs from 0 (base) to 1 (apex), `squeeze`
from 0 (end diastole) to 1 (end systole).
"""

from __future__ import annotations

import numpy as np

from .shapes import Canvas, Contour, waves

BLOOD, MYOCARDIUM, MUSCLE, FAT = 0.82, 0.25, 0.20, -0.74
LIVER, SPLEEN, LUNG, MARROW, FLUID = 0.31, 0.26, 0.04, -0.42, 0.80
DARK = 0.02  # cortical bone, pericardium, air


class Heart:
    """Both ventricles: their contours, and how they look."""

    def __init__(self, rng: np.random.Generator):
        self.centre = (rng.normal(8, 5), rng.normal(0, 5))
        self.cavity = rng.uniform(21, 27)  # radius at end diastole, mid-ventricle
        self.wall = rng.uniform(7.5, 10.5)
        self.shortening = rng.uniform(0.28, 0.42)  # of the cavity's radius
        self.tilt = rng.uniform(-0.35, 0.25)
        self.right = (rng.uniform(1.25, 1.5), rng.uniform(1.05, 1.2))  # radii, in LV outer radii
        self.fat = rng.uniform(1.0, 4.0)
        self.fat_shape = waves(rng, range(1, 6), 0.9)
        self.shape = waves(rng, range(2, 4), 0.05)
        self.right_shape = waves(rng, range(2, 5), 0.07)
        self.trabeculae = waves(rng, range(7, 17), 0.075)
        self.papillary = [(a + rng.normal(0, 0.15), rng.uniform(3.5, 5.0)) for a in (-0.9, 1.5)]
        self.drift = (rng.uniform(-6, 12), rng.uniform(2, 10))  # of the centre, base to apex

    def middle(self, z: float) -> tuple[float, float]:
        """Centre (x, y) of the left ventricle."""
        return tuple(c + d * (z - 0.5) for c, d in zip(self.centre, self.drift, strict=True))

    def radii(self, z: float, squeeze: float) -> tuple[float, float]:
        """Outer and inner radius of the left ventricle; its muscle keeps its volume."""
        taper = np.sqrt(1 - 0.80 * z**2.2) * (1 - 0.05 * (1 - z) ** 4)
        wall = self.wall * (1 - 0.15 * z)
        relaxed = max(self.cavity * taper - 0.25 * (1 - taper) * wall, 4.0)
        inner = relaxed * (1 - self.shortening * (1 + 0.4 * z) * squeeze)
        muscle = ((relaxed + wall) ** 2 - relaxed**2) * (1 + 0.12 * squeeze)
        return float(np.sqrt(inner**2 + muscle)), float(inner)

    def distances(self, canvas: Canvas, z: float, squeeze: float) -> dict[str, np.ndarray]:
        """Signed distances of the `left` cavity, the `outer` wall and the `right` cavity."""
        outer, inner = self.radii(z, squeeze)
        middle = self.middle(z)
        ridges = 0.35 + 0.9 * z + 0.4 * squeeze
        inner_waves = (*self.shape, *((k, h * ridges, p) for k, h, p in self.trabeculae))
        left = canvas.distance(Contour(middle, (inner, inner), inner_waves, self.tilt))
        wall = canvas.distance(Contour(middle, (outer, outer), self.shape, self.tilt))
        return {"left": left, "outer": wall, "right": self._right(canvas, z, squeeze, wall)}

    def _right(self, canvas: Canvas, z: float, squeeze: float, wall: np.ndarray) -> np.ndarray:
        """The right ventricle: what a blob on the septum's side has outside the left one."""
        outer = self.radii(z, 0.0)[0]
        size = np.sqrt(max(1 - (z / 0.95) ** 3, 0.0)) * (1 - 0.13 * squeeze)
        if size < 0.3:
            return np.full_like(wall, 99.0)
        width, height = (size * share * outer for share in self.right)
        back = 0.55 * outer * (1 + 0.25 * z)
        x, y = self.middle(z)
        centre = (x - back * np.cos(self.tilt), y - back * np.sin(self.tilt))
        blob = canvas.distance(Contour(centre, (width, height), self.right_shape, self.tilt))
        return np.maximum(blob, -wall)

    def paint(self, canvas: Canvas, z: float, squeeze: float, texture: np.ndarray) -> None:
        """Paint pericardium, fat, muscle and blood; `texture` (rows, columns) is unit noise."""
        part = self.distances(canvas, z, squeeze)
        outside = np.minimum(part["outer"], part["right"] - 3.0)
        fat = self._fat(canvas, z)
        canvas.paint(outside - fat - 1.2, DARK)
        canvas.paint(outside - fat, FAT)
        canvas.paint(outside, MYOCARDIUM * (1 + 0.05 * texture))
        near_wall = np.clip(1 + part["right"] / 14, 0, 1)
        strands = np.clip(texture - 1.1 + 0.7 * near_wall, 0, 1) * (part["outer"] > 6)
        canvas.paint(part["right"], BLOOD * (0.97 - 0.75 * strands + 0.02 * texture))
        canvas.paint(part["outer"], MYOCARDIUM * (1 + 0.05 * texture))
        canvas.paint(part["left"], BLOOD * (1 + 0.04 * texture))
        if 0.15 < z < 0.8:
            self._paint_papillary(canvas, z, squeeze, part["left"])

    def _fat(self, canvas: Canvas, z: float) -> np.ndarray:
        """Thickness in mm of the fat under the pericardium, thicker towards the base."""
        x, y = self.middle(z)
        angle = np.arctan2(canvas.y - y, canvas.x - x + 12)
        uneven = 1.0 + sum(h * np.cos(k * angle + phase) for k, h, phase in self.fat_shape)
        return np.maximum(self.fat * uneven, 0.2) * (1.4 - 0.8 * z)

    def _paint_papillary(self, canvas: Canvas, z: float, squeeze: float, left: np.ndarray) -> None:
        inner = self.radii(z, squeeze)[1]
        x, y = self.middle(z)
        for angle, radius in self.papillary:
            place = max(inner - 0.75 * radius, 0.45 * inner)
            size = min(radius * (1 + 0.15 * squeeze), 0.35 * inner)
            around = angle + self.tilt
            spot = Contour(
                (x + place * np.cos(around), y + place * np.sin(around)),
                (1.25 * size, size),
                tilt=around,
            )
            canvas.paint(np.maximum(canvas.distance(spot), left), MYOCARDIUM * 1.05)


class Thorax:
    """Everything round the heart that does not beat."""

    def __init__(self, rng: np.random.Generator):
        build = rng.uniform(0.94, 1.06)
        self.body = Contour(
            (18 + rng.normal(0, 4), 20 + rng.normal(0, 4)),
            (140 * build, 121 * build),
            waves(rng, range(2, 6), 0.04),
            rng.normal(0, 0.1),
        )
        self.fat = rng.uniform(7, 20)
        self.muscle = rng.uniform(10, 15)
        self.ribs = [
            (a + rng.normal(0, 0.05), rng.uniform(0.7, 1.2)) for a in np.arange(0, 6.1, 0.45)
        ]
        self.dome = rng.uniform(27, 35)
        self.dome_shape = waves(rng, range(2, 5), 0.05)
        self.liver = Contour(
            (-48, 96), (72, 58), waves(rng, range(2, 6), 0.07), rng.normal(-0.3, 0.1)
        )
        self.stomach = Contour(
            (74, 56), (26, 22), waves(rng, range(2, 7), 0.13), rng.normal(0.4, 0.3)
        )
        self.spleen = Contour(
            (118, 80), (18, 34), waves(rng, range(2, 5), 0.1), rng.normal(-0.3, 0.1)
        )
        self.sternal = rng.uniform(12, 26)  # fat behind the sternum, mm
        self.spine = (38 + rng.normal(0, 5), 92 + rng.normal(0, 3))
        self.aorta = (self.spine[0] + 25, self.spine[1] - 16, rng.uniform(8, 11))
        self.vessels = self._draw_vessels(rng, 220)

    @staticmethod
    def _draw_vessels(rng: np.random.Generator, n: int) -> np.ndarray:
        """Vessels crossing the slices: place at the base, shift to the apex (mm), radius (mm)."""
        angle, away = rng.uniform(0, 2 * np.pi, n), rng.uniform(0.15, 1, n)
        radius = 0.5 + rng.exponential(0.7, n) * (1.3 - away)
        shift = rng.normal(0, 18, (2, n))
        return np.stack([away * np.cos(angle), away * np.sin(angle), *shift, radius], axis=1)

    def paint(self, canvas: Canvas, z: float, texture: np.ndarray) -> None:
        """Paint the body without the heart; `texture` (rows, columns) is unit noise."""
        body = canvas.distance(self.body)
        wall = body + self.fat * (1 + 0.10 * texture)  # under the fat
        inside = body + self.fat + self.muscle + 0.8 * texture  # within the chest
        canvas.paint(body, 0.25)  # skin
        canvas.paint(body + 1.8, FAT * (1 + 0.03 * texture))
        canvas.paint(wall, MUSCLE * (1 + 0.12 * texture))
        canvas.paint(np.abs(wall + 4.5 + 1.5 * texture) - 0.2, 0.8 * FAT)
        self._paint_ribs(canvas, wall)
        self._paint_lungs(canvas, z, inside)
        self._paint_mediastinum(canvas, z, inside, texture)
        self._paint_abdomen(canvas, z, inside, texture)
        self._paint_aorta(canvas)
        self._paint_spine(canvas, wall, texture)

    def _paint_ribs(self, canvas: Canvas, wall: np.ndarray) -> None:
        (x0, y0), (wide, high) = self.body.centre, self.body.radii
        depth = self.fat + 0.6 * self.muscle
        for angle, size in self.ribs:
            place = (x0 + (wide - depth) * np.cos(angle), y0 + (high - depth) * np.sin(angle))
            along = np.arctan2(high * np.cos(angle), -wide * np.sin(angle))
            rib = np.maximum(
                canvas.distance(Contour(place, (8 * size, 4 * size), tilt=along)), wall
            )
            canvas.paint(rib, DARK)
            canvas.paint(rib + 1.5, MARROW)

    def _paint_lungs(self, canvas: Canvas, z: float, inside: np.ndarray) -> None:
        canvas.paint(inside - 1.0, DARK)
        canvas.paint(inside, LUNG)
        (x0, y0), (wide, high) = self.body.centre, self.body.radii
        for x, y, dx, dy, radius in self.vessels:
            place = (x0 + wide * x + dx * z, y0 + high * y + dy * z)
            canvas.dot(*place, radius, 0.25 + 0.15 * radius, inside + 4)

    def _paint_mediastinum(
        self, canvas: Canvas, z: float, inside: np.ndarray, texture: np.ndarray
    ) -> None:
        """Fat between sternum and heart; behind the base, vessels and gullet."""
        bearing = np.arctan2(canvas.y - 5, canvas.x - 8) + 2.6  # 0 towards the sternum
        bearing = np.angle(np.exp(1j * bearing))
        thickness = self.sternal * (1.6 - 0.6 * z) * np.exp(-0.5 * (bearing / 0.55) ** 2)
        pad = np.maximum(inside, -inside - thickness + 1.0)
        canvas.paint(pad - 1.0, DARK)
        canvas.paint(pad, FAT * (0.85 + 0.04 * texture))
        hilum = Contour((34, 52), (27 * (1 - 0.7 * z), 44), self.dome_shape, -0.3)
        hilum = np.maximum(canvas.distance(hilum), inside)
        canvas.paint(hilum, FAT * 0.6)
        canvas.paint(np.maximum(hilum + 3, 0.3 - texture), MUSCLE * 1.3)

    def _paint_abdomen(
        self, canvas: Canvas, z: float, inside: np.ndarray, texture: np.ndarray
    ) -> None:
        top = self.dome - 30 * (z - 0.35)
        belly = Contour((8, top + 125), (160, 125), self.dome_shape)
        belly = np.maximum(canvas.distance(belly), inside)
        canvas.paint(belly, MUSCLE)
        canvas.paint(belly + 2.2, FAT * (0.85 + 0.04 * texture))
        smaller = 14 * (0.5 - z)
        stomach = np.maximum(canvas.distance(self.stomach) + smaller, belly + 3.5)
        canvas.paint(stomach, MUSCLE)
        canvas.paint(stomach + 3.5, 0.42 * (1 + 0.12 * texture))
        spleen = np.maximum(canvas.distance(self.spleen) + smaller, belly + 3.5)
        canvas.paint(spleen, SPLEEN * (1 + 0.03 * texture))
        liver = np.maximum(canvas.distance(self.liver) + smaller, belly + 3.0)
        canvas.paint(liver, LIVER * (1 + 0.03 * texture))
        (x0, y0), (wide, high) = self.liver.centre, self.liver.radii
        for x, y, dx, dy, radius in self.vessels[:50]:
            place = (x0 + wide * x + dx * z, y0 + high * y + dy * z)
            canvas.dot(*place, 1.2 * radius, 0.5, liver + 5)

    def _paint_aorta(self, canvas: Canvas) -> None:
        x, y, radius = self.aorta
        aorta = np.hypot(canvas.x - x, canvas.y - y) - radius
        canvas.paint(aorta - 1.8, MUSCLE)
        canvas.paint(aorta, 0.92 * BLOOD)

    def _paint_spine(self, canvas: Canvas, wall: np.ndarray, texture: np.ndarray) -> None:
        x, y = self.spine
        back = np.maximum(canvas.distance(Contour((x, y + 28), (58, 30))), wall)
        canvas.paint(back, MUSCLE * (1 + 0.15 * texture))
        canvas.paint(np.maximum(back + 3, 1.3 - texture), 0.8 * FAT)
        vertebra = canvas.distance(Contour((x, y), (20, 16), ((3, 0.05, 1.0),)))
        canvas.paint(vertebra, DARK)
        canvas.paint(vertebra + 1.6, MARROW * (0.8 + 0.08 * texture))
        canal = np.hypot(canvas.x - x, canvas.y - y - 23) - 8
        canvas.paint(canal - 2.0, DARK)
        canvas.paint(canal, FLUID)
        canvas.paint(canal + 3.5, 0.35)
