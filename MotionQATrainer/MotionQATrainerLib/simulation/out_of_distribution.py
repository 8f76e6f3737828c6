"""Images that are no short-axis cardiac MR, for a network to learn what it cannot grade.

Label maps, noise, blank slices, geometric and other phantoms, textures, text, stacks cut along
another plane, and the photographs of scikit-image where it is installed. All are drawn here or
come with a library: no patient of anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.ndimage import gaussian_filter, rotate, zoom

SIDE = 200
"""Pixels a side of what is drawn."""


def out_of_distribution_images(
    count: int, rng: np.random.Generator, hearts: list[np.ndarray] | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ``count`` images, each with its kind, (SIDE, SIDE) float32.

    Parameters
    ----------
    hearts : stacks (slices, rows, columns), to cut along other planes and to turn to label maps
    """
    kinds: list[tuple[str, Callable[[np.random.Generator], np.ndarray]]] = [
        ("label map", label_map),
        ("noise", noise),
        ("blank", blank),
        ("shapes", shapes),
        ("texture", texture),
        ("limb", limb),
        ("head", head),
        ("stripes", stripes),
    ]
    photographs = _photographs()
    if photographs:
        kinds += [("photograph", lambda r: photograph(r, photographs))] * 3
    if hearts:
        kinds += [
            ("other plane", lambda r: other_plane(r, hearts)),
            ("steps of grey", lambda r: steps_of_grey(r, hearts)),
        ]
    for number in range(count):
        name, make = kinds[number % len(kinds)]
        yield name, np.ascontiguousarray(make(rng), dtype=np.float32)


def label_map(rng: np.random.Generator) -> np.ndarray:
    """A few numbered regions on nothing: rings and blobs, as segmentations are."""
    field = gaussian_filter(rng.standard_normal((SIDE, SIDE)), rng.uniform(6, 25))
    image = np.digitize(field / field.std(), np.sort(rng.normal(0, 1, rng.integers(1, 6))))
    if rng.uniform() < 0.6:
        y, x = _grid(rng)
        image = np.zeros((SIDE, SIDE))
        radius = rng.uniform(12, 45)
        image[np.hypot(y - radius * 0.6, x + radius) < radius] = 1
        image[np.hypot(y, x) < radius] = 2
        image[np.hypot(y, x) < 0.65 * radius] = 3
    return image * float(rng.uniform(1, 80))


def noise(rng: np.random.Generator) -> np.ndarray:
    image = rng.standard_normal((SIDE, SIDE))
    if rng.uniform() < 0.6:
        image = gaussian_filter(image, rng.uniform(0.3, 4))
    return np.abs(image) if rng.uniform() < 0.5 else image - image.min()


def blank(rng: np.random.Generator) -> np.ndarray:
    image = np.full((SIDE, SIDE), float(rng.uniform(0, 100)))
    kind = rng.integers(3)
    if kind == 1:
        image += rng.normal(0, 1e-3, image.shape)
    elif kind == 2:
        image += np.linspace(0, float(rng.uniform(1, 50)), SIDE)[:, None]
    return image


def shapes(rng: np.random.Generator) -> np.ndarray:
    """Discs and bars of even signal, as in test objects."""
    image = np.zeros((SIDE, SIDE))
    for _ in range(rng.integers(1, 14)):
        y, x = _grid(rng, 70)
        size = rng.uniform(4, 45)
        inside = np.hypot(y, x) < size if rng.uniform() < 0.5 else (abs(y) < size) & (abs(x) < 9)
        image[inside] = rng.uniform(0, 1)
    return image + rng.uniform(0, 0.05) * np.abs(rng.standard_normal(image.shape))


def texture(rng: np.random.Generator) -> np.ndarray:
    image = sum(
        gaussian_filter(rng.standard_normal((SIDE, SIDE)), scale) * scale
        for scale in rng.uniform(0.5, 20, 3)
    )
    return image - image.min()


def limb(rng: np.random.Generator) -> np.ndarray:
    """A limb or a joint: a bright outline, a bone or two, muscle between."""
    y, x = _grid(rng, 15)
    edge = rng.uniform(45, 85) * (1 + 0.12 * np.cos(2 * np.arctan2(y, x) + rng.uniform(0, 6)))
    far = np.hypot(y, x * rng.uniform(0.7, 1.3))
    image = np.where(far < edge, rng.uniform(0.2, 0.5), 0.0)
    image[(far < edge) & (far > edge - rng.uniform(3, 14))] = rng.uniform(0.6, 1)
    for _ in range(rng.integers(1, 3)):
        dy, dx = _grid(rng, 20)
        size = rng.uniform(10, 30)
        bone = np.hypot(dy * rng.uniform(0.3, 1), dx)
        image[bone < size] = rng.uniform(0.5, 1)
        image[(bone < size) & (bone > size - 3)] = 0.05
    grain = gaussian_filter(rng.standard_normal(image.shape), 1.2)
    return np.abs(gaussian_filter(image, rng.uniform(0.5, 1.2)) * (1 + 0.4 * grain)) + 0.02


def head(rng: np.random.Generator) -> np.ndarray:
    """A head: scalp, dark skull, folded brain, dark or bright ventricles."""
    y, x = _grid(rng, 10)
    far = np.hypot(y * rng.uniform(0.75, 0.95), x) / rng.uniform(60, 90)
    folds = gaussian_filter(rng.standard_normal((SIDE, SIDE)), rng.uniform(2, 4))
    image = np.where(far < 1, 0.9, 0.0)
    image[far < 0.93] = 0.05
    brain = far < 0.86
    image[brain] = np.where(folds > 0, rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.8))[brain]
    image[(np.hypot(y * 0.5, abs(x) - 10) < rng.uniform(6, 14)) & brain] = rng.choice([0.1, 1.0])
    return gaussian_filter(image, rng.uniform(0.6, 1.5)) + 0.02 * rng.uniform(size=image.shape)


def stripes(rng: np.random.Generator) -> np.ndarray:
    y, x = _grid(rng)
    angle = rng.uniform(0, np.pi)
    wave = np.sin((y * np.sin(angle) + x * np.cos(angle)) / rng.uniform(1, 15))
    return np.sign(wave) + 1 if rng.uniform() < 0.5 else wave + 1


def photograph(rng: np.random.Generator, images: list[np.ndarray]) -> np.ndarray:
    """Part of a photograph, turned and scaled at random."""
    image = images[rng.integers(len(images))]
    size = min(image.shape)
    cut = int(rng.uniform(0.35, 1.0) * size)
    top, left = (int(rng.integers(n - cut + 1)) for n in image.shape)
    part = zoom(image[top : top + cut, left : left + cut], SIDE / cut, order=1)
    part = np.rot90(part, rng.integers(4))
    part = part.max() - part if rng.uniform() < 0.3 else part
    return _fitted(part)


def other_plane(rng: np.random.Generator, hearts: list[np.ndarray]) -> np.ndarray:
    """A stack cut across its slices, stretched to square pixels: a plane that is not short-axis."""
    stack = hearts[rng.integers(len(hearts))]
    axis = int(rng.integers(1, 3))
    where = int(rng.uniform(0.3, 0.7) * stack.shape[axis])
    plane = np.take(stack, where, axis=axis)
    plane = zoom(plane, (rng.uniform(5, 8), 1), order=1)
    return _fitted(rotate(plane, float(rng.uniform(0, 360)), order=1, reshape=True))


def steps_of_grey(rng: np.random.Generator, hearts: list[np.ndarray]) -> np.ndarray:
    """A slice cut into a few regions of even signal, as a segmentation of all tissues is."""
    stack = hearts[rng.integers(len(hearts))]
    image = gaussian_filter(stack[rng.integers(len(stack))], rng.uniform(1, 3))
    cuts = np.quantile(image, np.sort(rng.uniform(0.2, 0.98, rng.integers(1, 5))))
    return _fitted(np.digitize(image, np.unique(cuts)) * float(rng.uniform(1, 60)))


def _photographs() -> list[np.ndarray]:
    """Those that scikit-image brings with it, grey; none where it is not installed."""
    from importlib.util import find_spec
    from pathlib import Path

    from PIL import Image

    package = find_spec("skimage")
    if package is None or package.origin is None:
        return []
    found = []
    # Its files and not its functions, which may fetch what is not there.
    for path in sorted((Path(package.origin).parent / "data").glob("*.[pj][np]g")):
        with Image.open(path) as picture:
            grey = np.asarray(picture.convert("L"), dtype=np.float64)
        step = max(1, min(grey.shape) // 500)
        found.append(grey[::step, ::step])
    return found


def _grid(rng: np.random.Generator, off: float = 40) -> tuple[np.ndarray, np.ndarray]:
    middle = SIDE / 2 + rng.uniform(-off, off, 2)
    y, x = np.indices((SIDE, SIDE))
    return y - middle[0], x - middle[1]


def _fitted(image: np.ndarray) -> np.ndarray:
    """Cut or padded about its middle to SIDE pixels."""
    whole = np.zeros((SIDE, SIDE))
    rows, columns = (min(SIDE, n) for n in image.shape)
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    y, x = (SIDE - rows) // 2, (SIDE - columns) // 2
    whole[y : y + rows, x : x + columns] = image[top : top + rows, left : left + columns]
    return whole
