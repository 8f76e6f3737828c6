"""Respiratory motion in segmented breath-hold cine, simulated where it arises: in k-space.

A slice's phase-encoding lines come from 8 to 14 heartbeats, and each line sees the heart where it
was at its heartbeat. Only motion against the position at the centre of k-space is an artefact, so
the clean slice is the reference. All slices of a stack are computed at once, on any torch device.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from .nuisances import Nuisance
from .severity import CURRENT, Severity

__all__ = ["Acquisition", "MotionSimulator", "Nuisance", "Ordering", "smooth_phase"]


class Ordering(Enum):
    """Which heartbeat acquires which phase-encoding line.

    Interleaved and block are how segmented cine fills k-space; reversed and centric ones are common
    in other sequences, shuffled stands for pseudo-random ones. How often scanners use which is an
    assumption.
    """

    INTERLEAVED = "interleaved"  # line k at heartbeat k mod N: ghosts
    BLOCK = "block"  # neighbouring lines at one heartbeat: blur and edge ringing
    REVERSED = "reversed"  # blocks from the other end of k-space
    CENTRIC = "centric"  # blocks from the middle of k-space outwards
    SHUFFLED = "shuffled"  # lines at random heartbeats: incoherent, noise-like ghosts

    def heartbeat_of_line(self, lines: int, heartbeats: int, rng: np.random.Generator):
        """(lines,) heartbeat of each line, in k-space order from -lines/2 to lines/2."""
        line = np.arange(lines)
        if self in (Ordering.BLOCK, Ordering.REVERSED):
            # Counted from the middle, so that k = 0 lies within a block and not on a seam; of an
            # even number of blocks the first is half a block short and the last as much longer.
            away = np.floor((line - lines // 2) * heartbeats / lines + 0.5).astype(int)
            block = np.clip(away + heartbeats // 2, 0, heartbeats - 1)
            return heartbeats - 1 - block if self is Ordering.REVERSED else block
        if self is Ordering.CENTRIC:
            rank = np.argsort(np.argsort(np.abs(line - lines // 2), kind="stable"), kind="stable")
            return rank * heartbeats // lines
        interleaved = line % heartbeats
        return rng.permutation(interleaved) if self is Ordering.SHUFFLED else interleaved


TYPICAL = {Ordering.INTERLEAVED: 0.5, Ordering.BLOCK: 0.5}
WIDE = {
    Ordering.INTERLEAVED: 0.35,
    Ordering.BLOCK: 0.25,
    Ordering.REVERSED: 0.12,
    Ordering.CENTRIC: 0.13,
    Ordering.SHUFFLED: 0.15,
}
EVERY = dict.fromkeys(Ordering, 0.2)
"""Orders and their chances when protocols are drawn."""


@dataclass(frozen=True)
class Acquisition:
    """How one subject's slices are acquired and how breathing displaces what is in them.

    Parameters
    ----------
    heartbeats, rr : heartbeats a slice, seconds between them
    phase_axis : axis along which phase is encoded: 0 rows, 1 columns
    angle : direction of the in-plane motion, radians from the row axis
    through_plane : cosine between motion and slice normal; its sign tells the neighbour
    heart_radius, falloff : mm; full motion inside the radius, fading over the falloff
    chest : motion far from the heart, as a fraction of the heart's
    coils : receiving coils, joined by the root of their sum of squares; each sees the moving heart
        through a sensitivity of its own that stays where it is
    """

    heartbeats: int = 10
    rr: float = 0.9
    ordering: Ordering = Ordering.INTERLEAVED
    phase_axis: int = 0
    angle: float = 0.0
    through_plane: float = 0.4
    heart_radius: float = 50.0
    falloff: float = 40.0
    chest: float = 0.1
    coils: int = 1

    @classmethod
    def draw(
        cls, rng: np.random.Generator, *, wide: bool = False, check: bool = False
    ) -> Acquisition:
        """Draw a protocol; ``wide`` strays beyond what is typical, so that a network trained on
        it learns motion and not this simulator's habits. ``check`` is typical but for the orders,
        each as often as any other: what a network is tested on."""
        orders = WIDE if wide else EVERY if check else TYPICAL
        chest = rng.uniform(0.05, 0.15)
        if wide and rng.uniform() < 0.3:
            chest = rng.uniform(0.15, 1.0)
        return cls(
            heartbeats=int(rng.integers(5, 20) if wide else rng.integers(8, 15)),
            rr=float(rng.uniform(0.6, 1.2) if wide else rng.uniform(0.75, 1.1)),
            ordering=list(orders)[rng.choice(len(orders), p=list(orders.values()))],
            phase_axis=int(rng.integers(2)),
            angle=float(rng.uniform(0, 2 * np.pi)),
            through_plane=float(rng.choice([-1, 1]) * rng.uniform(0.0 if wide else 0.27, 0.52)),
            heart_radius=float(rng.uniform(40, 80) if wide else rng.uniform(55, 70)),
            falloff=float(rng.uniform(15, 70) if wide else rng.uniform(30, 50)),
            chest=float(chest),
            coils=int(rng.integers(1, 5)),
        )

    @property
    def times(self) -> np.ndarray:
        return np.arange(self.heartbeats) * self.rr


class MotionSimulator:
    """Corrupts stacks of clean slices.

    Parameters
    ----------
    device : where the transforms run
    severity : the version of the label
    """

    def __init__(self, device: str | torch.device = "cpu", severity: Severity = CURRENT) -> None:
        self.device = torch.device(device)
        self.severity = severity

    @torch.no_grad()
    def __call__(
        self,
        stack: np.ndarray | torch.Tensor,
        spacing: tuple[float, float, float],
        displacement: np.ndarray,
        acquisition: Acquisition,
        rng: np.random.Generator,
        *,
        centre: tuple[float, float] | None = None,
        nuisance: Nuisance | None = None,
        other_phase: np.ndarray | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Corrupt a stack.

        Parameters
        ----------
        stack : (slices, rows, columns) magnitude images without motion
        spacing : mm between slices, rows, columns
        displacement : (slices, heartbeats) mm, as `Breathing.displacement` gives it
        centre : row and column of the heart; the image's centre by default
        nuisance : added to the images, not to the severity
        other_phase : the same stack at another cardiac phase, for mistriggering

        Returns
        -------
        corrupted : (slices, rows, columns) float32
        similarity : (slices,) structural similarity to the clean slices in the heart region
        """
        stack = self._tensor(stack)
        if displacement.shape != (len(stack), acquisition.heartbeats):
            raise ValueError("displacement needs one row a slice and one column a heartbeat.")
        centre = centre or ((stack.shape[1] - 1) / 2, (stack.shape[2] - 1) / 2)
        scan = _Scan(stack, spacing, centre, acquisition, rng)
        motion = self._tensor(displacement)
        corrupted = scan.images(motion)
        similarity = self.severity.similarity(corrupted, stack, spacing[1:], centre)
        if nuisance is not None:
            late = None if other_phase is None else self._tensor(other_phase)
            if scan.is_changed_by(nuisance, late):
                jitter = self._tensor(rng.normal(0, nuisance.jitter, displacement.shape))
                corrupted = scan.images(motion + jitter, late, nuisance)
            corrupted = nuisance.after(corrupted, spacing[1:], acquisition.phase_axis, centre, rng)
        return corrupted, similarity

    def _tensor(self, array: np.ndarray | torch.Tensor) -> torch.Tensor:
        if isinstance(array, np.ndarray):
            array = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
        return array.to(self.device, torch.float32)


class _Scan:
    """One stack in the scanner: what moves, how far, and who acquires which line.

    Inside, phase encoding runs along the last axis, where the transform is fastest.
    """

    def __init__(self, stack, spacing, centre, acquisition: Acquisition, rng) -> None:
        self.swapped = acquisition.phase_axis == 0
        steps = spacing[1:]
        along = np.array([np.cos(acquisition.angle), np.sin(acquisition.angle)])
        if self.swapped:
            stack, steps, centre, along = (
                stack.transpose(1, 2).contiguous(),
                steps[::-1],
                centre[::-1],
                along[::-1],
            )
        self.stack = stack
        shape = stack.shape[1:]
        lines = acquisition.ordering.heartbeat_of_line(shape[1], acquisition.heartbeats, rng)
        self.reference = int(lines[len(lines) // 2])  # heartbeat of the centre of k-space
        owner = torch.as_tensor(np.fft.ifftshift(lines), device=stack.device)
        self.owner = owner.expand(1, *shape)
        self.coils = coil_sensitivities(shape, acquisition.coils, rng, stack.device)
        self.late_heartbeats = [
            int((self.reference + turn) % acquisition.heartbeats)
            for turn in 1 + rng.permutation(acquisition.heartbeats - 1)
        ]
        self.kept_side = int(rng.integers(2))  # of k-space, under partial Fourier

        y = torch.arange(shape[0], device=stack.device, dtype=torch.float32)[:, None]
        x = torch.arange(shape[1], device=stack.device, dtype=torch.float32)[None, :]
        distance = torch.hypot((y - centre[0]) * steps[0], (x - centre[1]) * steps[1])
        edge = ((distance - acquisition.heart_radius) / acquisition.falloff).clamp(0, 1)
        fade = 0.5 * (1 + torch.cos(torch.pi * edge))
        self.share = acquisition.chest + (1 - acquisition.chest) * fade
        # grid_sample counts x before y, each from -1 to 1 over the whole image.
        in_plane = np.sqrt(1 - acquisition.through_plane**2)
        pixels_a_mm = in_plane * along / np.array(steps)
        self.step = self.share[..., None] * torch.tensor(
            [2 * pixels_a_mm[1] / shape[1], 2 * pixels_a_mm[0] / shape[0]],
            dtype=torch.float32,
            device=stack.device,
        )
        self.slices_a_mm = acquisition.through_plane / spacing[0]
        self.grid = torch.stack(
            torch.broadcast_tensors((2 * x + 1) / shape[1] - 1, (2 * y + 1) / shape[0] - 1), -1
        )

    @staticmethod
    def is_changed_by(nuisance: Nuisance, late) -> bool:
        """Whether the nuisance is in how lines are acquired."""
        mistriggered = nuisance.mistriggered and late is not None
        return bool(mistriggered or nuisance.jitter or nuisance.partial_fourier < 1)

    def images(self, displacement, late=None, nuisance: Nuisance | None = None) -> torch.Tensor:
        """What the scanner shows of the (slices, heartbeats) displacement, mm.

        A slice at a time: one slice's heartbeats fit in the processor's cache.
        """
        nuisance = nuisance or Nuisance()
        if late is not None and self.swapped:
            late = late.transpose(1, 2)
        kept = self._kept_lines(nuisance.partial_fourier)
        images = []
        for index, positions in enumerate(displacement):
            moved = self._moved(index, positions - positions[self.reference])
            if late is not None and nuisance.mistriggered:
                for heartbeat in self.late_heartbeats[: nuisance.late_beats]:
                    moved[heartbeat].lerp_(late[index], nuisance.mistriggered)
            images.append(self._acquired(moved, kept))
        images = torch.stack(images)
        return images.transpose(1, 2).contiguous() if self.swapped else images

    def _kept_lines(self, share: float) -> torch.Tensor | None:
        """1 for the lines that partial Fourier acquires, in the transform's order; else None.

        The missing ones stay zero: the plainest reconstruction, and the one that blurs most.
        """
        if share >= 1:
            return None
        length = self.owner.shape[-1]
        line = torch.arange(length, device=self.owner.device)
        dropped = round((1 - share) * length)
        kept = line >= dropped if self.kept_side else line < length - dropped
        return torch.fft.ifftshift(kept).to(torch.float32)

    def _moved(self, index: int, delta: torch.Tensor) -> torch.Tensor:
        """The slice as each heartbeat finds it: (heartbeats, y, x)."""
        blend = (delta * self.slices_a_mm).clamp(-1, 1)[:, None, None]
        slice_ = self.stack[index]
        # At either end of the stack the slice is its own neighbour.
        above = (self.stack[min(index + 1, len(self.stack) - 1)] - slice_) * self.share
        below = (self.stack[max(index - 1, 0)] - slice_) * self.share
        images = torch.addcmul(slice_, above, blend.clamp_min(0))
        images.addcmul_(below, blend.clamp_max(0), value=-1)
        grid = torch.addcmul(self.grid, delta[:, None, None, None], self.step, value=-1)
        return F.grid_sample(
            images[:, None], grid, mode="bilinear", padding_mode="border", align_corners=False
        )[:, 0]

    def _acquired(self, moved: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Take each k-space line from its heartbeat's image; the magnitude, (y, x).

        Only the transform along phase encoding is needed: a line is whole along the readout, so
        that transform and its inverse cancel.
        """
        power = 0.0
        for coil in self.coils:
            lines = torch.fft.fft(torch.complex(moved * coil.real, moved * coil.imag))
            lines = lines.gather(0, self.owner)[0]
            if kept is not None:
                lines = lines * kept
            image = torch.fft.ifft(lines)
            power = power + image.real.square() + image.imag.square()
        return power.sqrt()


def coil_sensitivities(
    shape: tuple[int, int],
    coils: int,
    rng: np.random.Generator,
    device: str | torch.device = "cpu",
) -> list[torch.Tensor]:
    """Complex sensitivities (rows, columns) whose sum of squares is 1 everywhere.

    Each coil lies at the image's edge and sees less with distance, under a smooth phase of its
    own: an assumption in the manner of Roemer et al. (MRM 1990), who join coils by the root of
    the sum of squares. One coil sees all places alike.
    """
    phases = [smooth_phase(shape, rng, device) for _ in range(coils)]
    if coils == 1:
        return phases
    y, x = (torch.linspace(-1, 1, length, device=device) for length in shape)
    start = rng.uniform(0, 2 * np.pi)
    gains = []
    for number in range(coils):
        angle = start + 2 * np.pi * (number + rng.uniform(-0.2, 0.2)) / coils
        far = torch.hypot(y[:, None] - np.sin(angle), x[None, :] - np.cos(angle))
        gains.append(torch.exp(-0.5 * (far / rng.uniform(0.8, 1.4)) ** 2))
    total = torch.stack(gains).square().sum(0).sqrt()
    return [gain / total * phase for gain, phase in zip(gains, phases, strict=True)]


def smooth_phase(
    shape: tuple[int, int], rng: np.random.Generator, device: str | torch.device = "cpu"
) -> torch.Tensor:
    """Unit phasors (rows, columns) that vary slowly: what coils and off-resonance leave."""
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)
    terms = rng.normal(0, [np.pi, 1.5, 1.5, 0.8, 0.8, 0.8]).astype(np.float32)
    phase = (
        terms[0]
        + (terms[1] * y + terms[3] * y**2)[:, None]
        + (terms[2] * x + terms[4] * x**2)[None, :]
        + terms[5] * np.outer(y, x)
    )
    phase = torch.from_numpy(phase).to(device)
    return torch.polar(torch.ones_like(phase), phase)
