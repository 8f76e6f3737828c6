"""The images of one series that are here so far, and whether any is missing."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .image_facts import FrameFacts, ImageFacts

SAME_PLACE = 0.1
"""mm; images nearer to each other than this along the normal show one slice."""

_SHORT_AXIS = re.compile(
    r"(?<![a-z])(sax|sa|csa|short[-_ ]?ax(is|e)?|kurzachse|petit[-_ ]?axe|kurze[-_ ]?achse)"
    r"(?![a-z])",
    re.I,
)
_OTHER_VIEW = re.compile(
    r"(?<![a-z0-9])([234][-_ ]?(ch|chamber|c|cv|kammer)|lax|la|hla|vla|lvot|rvot|long[-_ ]?axis|"
    r"4ch\w*|2ch\w*|3ch\w*|aort\w*|pulm\w*|loc\w*|scout\w*|survey|axial|trans\w*|sag\w*|cor)(?![a-z])",
    re.I,
)
_NOT_CINE = {"LOCALIZER", "PHASE MAP", "P", "VELOCITY", "PHASE", "T1 MAP", "T2 MAP", "MPR"}
_HEART_AXIS = (0.62, -0.62, -0.48)
"""Usual direction of the left ventricle's long axis, base to apex, in LPS."""

_NEAR_HEART_AXIS = math.cos(math.radians(40))


@dataclass(frozen=True)
class SlicePlace:
    """Where one slice lies: the middle is not known without pixels, so its first pixel's place.

    ``normal`` and ``place`` are of the patient's coordinates (LPS), in mm; None where not given.
    """

    place: tuple[float, float, float] | None
    normal: tuple[float, float, float] | None


class ArrivingSeries:
    """One series, growing; images that come twice count once."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.images: dict[str, ImageFacts] = {}

    def add(self, image: ImageFacts) -> bool:
        """Take an image; False if it was here already, with the same content as far as is known."""
        known = self.images.get(image.instance)
        self.images[image.instance] = image
        if known is None or known.revision != image.revision:
            return True
        return None not in (known.stamp, image.stamp) and known.stamp != image.stamp

    @property
    def size(self) -> int:
        """Bytes of all its pixels, unpacked."""
        return sum(image.size for image in self.images.values())

    @property
    def first(self) -> ImageFacts:
        return next(iter(self.images.values()))

    @property
    def paths(self) -> list[Path]:
        """Where its images are stored, sorted."""
        return sorted(image.path for image in self.images.values() if image.path is not None)

    @property
    def content(self) -> str:
        """A key of exactly these images: another one more, and it differs."""
        digest = hashlib.blake2b(self.uid.encode(), digest_size=16)
        for instance in sorted(self.images):
            revision = self.images[instance].revision
            digest.update(f"\n{instance}{f' {revision}' if revision else ''}".encode())
        return digest.hexdigest()

    def stack(self) -> list[list[FrameFacts]]:
        """Its pictures by slice along the normal, each slice's by time.

        Pictures without a place make one slice each, unless their times differ: then one.
        """
        frames = [(image, frame) for image in self.images.values() for frame in image.frames]
        order = sorted(frames, key=lambda pair: self._order(*pair))
        slices: list[list[tuple[ImageFacts, FrameFacts]]] = []
        previous: float | None = None
        for image, frame in order:
            along = _along(frame)
            if previous is None or along is None or abs(along - previous) > SAME_PLACE:
                slices.append([])
            slices[-1].append((image, frame))
            previous = along
        return [
            [
                frame
                for _, frame in sorted(
                    pictures,
                    key=lambda pair: (
                        pair[1].time,
                        pair[0].instance_number,
                        pair[1].frame_number or 0,
                    ),
                )
            ]
            for pictures in slices
        ]

    def _order(self, image: ImageFacts, frame: FrameFacts) -> tuple[float, int, int]:
        along = _along(frame)
        number = (image.instance_number, frame.frame_number or 0)
        return (math.inf if along is None else along, *number)

    def places(self) -> list[SlicePlace]:
        """Where each slice lies, in the order of `stack`."""
        return [SlicePlace(frames[0].place, _normal(frames[0])) for frames in self.stack()]

    def missing(self) -> str | None:
        """What is missing, in a sentence; None when all slices have all their phases."""
        stack = self.stack()
        counts = [len(frames) for frames in stack]
        promised = max(image.phases for image in self.images.values())
        usual = Counter(counts).most_common(1)[0][0]
        wanted = max(max(counts), promised if promised <= 4 * max(counts) else 0, usual)
        short = [number for number, count in enumerate(counts) if count < wanted]
        if short and (len(set(counts)) > 1 or promised > max(counts)):
            number = short[0]
            others = f" and {len(short) - 1} more slices lack images" if len(short) > 1 else ""
            return f"Slice {number} has {counts[number]} of {wanted} phases{others}."
        return self._hole() or self._gap(stack)

    def _hole(self) -> str | None:
        """Numbers that the scanner gave and that did not come, where it numbers images from 1."""
        numbers = sorted({image.instance_number for image in self.images.values()})
        if len(numbers) < len(self.images) or numbers[0] != 1:
            return None
        absent = numbers[-1] - len(numbers)
        # Derived series number images sparsely; a transfer loses few of many.
        if 0 < absent <= max(1, len(numbers) // 2):
            return f"{absent} of {numbers[-1]} images have not arrived."
        return None

    def _gap(self, stack: list[list[FrameFacts]]) -> str | None:
        along = [_along(frames[0]) for frames in stack]
        if len(along) < 4 or None in along:
            return None
        steps = [b - a for a, b in pairwise(along)]
        usual = sorted(steps)[len(steps) // 2]
        wide = [i for i, step in enumerate(steps) if step > 1.6 * usual]
        if len(wide) == 1:
            return f"A slice is missing between slices {wide[0]} and {wide[0] + 1}."
        return None

    def why_not_short_axis_cine(self) -> str | None:
        """Why it is not taken for short-axis cine, in a sentence; None if it looks like it."""
        stack = self.stack()
        kinds = {kind for image in self.images.values() for kind in image.kinds}
        if found := kinds & _NOT_CINE:
            return f"It is no cine: its image type is {', '.join(sorted(found))}."
        if max(map(len, stack)) < 2:
            return "It is no cine: its slices have one phase."
        text = self.first.description
        if _SHORT_AXIS.search(text):
            return None
        if _OTHER_VIEW.search(text):
            return "Its description names another view than the short axis."
        normal = _normal(stack[0][0])
        if normal is None:
            return "Its headers do not tell how its slices lie, and its description names no view."
        cosine = abs(sum(a * b for a, b in zip(normal, _HEART_AXIS, strict=True)))
        if len(stack) < 3 or cosine < _NEAR_HEART_AXIS:
            return "Neither its description nor the way its slices lie is that of the short axis."
        return None


def _normal(frame: FrameFacts) -> tuple[float, float, float] | None:
    if frame.directions is None:
        return None
    a, b = frame.directions[:3], frame.directions[3:]
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    length = math.sqrt(sum(value * value for value in cross))
    return None if length < 1e-3 else tuple(value / length for value in cross)


def _along(frame: FrameFacts) -> float | None:
    """Position along the slices' normal, in mm."""
    normal = _normal(frame)
    if normal is None or frame.place is None:
        return None
    return sum(a * b for a, b in zip(frame.place, normal, strict=True))
