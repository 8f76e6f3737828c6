"""How the heart moves while a breath is held, half held, or not held at all.

Displacements are those of the heart along the direction in which breathing moves it, in mm, one a
heartbeat. Sources: Lujan et al., Med Phys 1999 (respiratory curve); Shechter et al., IEEE TMI 2004
(tidal excursion of the heart); Holland et al., MRM 1998, and Keegan et al., JMRI 2002 (drift during
a breath-hold); Wang et al., arXiv:2210.06385 (the four behaviours of CMRxMotion).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np


class Behaviour(IntEnum):
    """What the volunteer was asked to do; the numbers are those of CMRxMotion's file names."""

    HOLD = 1
    HALF = 2
    FREE = 3
    INTENSIVE = 4

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Breathing:
    """One subject's way of breathing.

    Parameters
    ----------
    amplitude : tidal excursion of the heart, mm
    exponent : n of the Lujan curve; the larger, the longer the rest at end-expiration
    drift : speed at which the held heart drifts, mm/s
    period : of a quiet breath, s
    lag : how much longer the breath falls than it rises, 0 to 0.9, none in training
    """

    amplitude: float
    exponent: int
    drift: float
    period: float
    lag: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Breathing:
        amplitude = rng.normal(4.9, 1.9)
        while not 2.4 <= amplitude <= 8:
            amplitude = rng.normal(4.9, 1.9)
        return cls(
            amplitude=float(amplitude),
            exponent=int(rng.integers(1, 4)),
            drift=float(rng.uniform(0.05, 0.15) * rng.uniform(0.26, 0.9)),
            period=float(rng.uniform(3, 5)),
        )

    def unlike_training(self, rng: np.random.Generator) -> Breathing:
        """The same person breathing by another curve: lopsided, at periods from 2.6 to 6.5 s."""
        return replace(
            self,
            exponent=int(rng.integers(1, 5)),
            period=self.period * float(rng.uniform(0.87, 1.3)),
            lag=float(rng.uniform(0.3, 0.8)),
        )

    def displacement(
        self, behaviour: Behaviour, times: np.ndarray, slices: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Position of the heart at each heartbeat, each slice a breath of its own.

        Parameters
        ----------
        times : (heartbeats,) seconds since the slice's first heartbeat

        Returns
        -------
        (slices, heartbeats) mm
        """
        curve = {
            Behaviour.HOLD: self._hold,
            Behaviour.HALF: self._half,
            Behaviour.FREE: self._free,
            Behaviour.INTENSIVE: self._intensive,
        }[behaviour]
        times = np.asarray(times, dtype=float)
        if self.lag:
            turn = 2 * np.pi / self.period
            times = times + self.lag / turn * np.sin(turn * times)
        return np.stack([curve(times, rng) for _ in range(slices)])

    def _hold(self, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.drift * rng.uniform(0.5, 1.5) * times

    def _half(self, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Held to about half of the acquisition; a ramp of 1 s; then breathing."""
        release = times[-1] * rng.uniform(0.4, 0.6)
        ramp = np.clip(times - release, 0, 1)
        amplitude = self.amplitude * rng.uniform(0.8, 1.8)
        breath = lujan(times - release, amplitude, self.period, self.exponent, rng.uniform())
        return self._hold(np.minimum(times, release), rng) + ramp * breath

    def _free(self, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return lujan(times, self.amplitude, self.period, self.exponent, rng.uniform())

    def _intensive(self, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Faster and deeper, the depth modulated by a quarter from breath to breath."""
        period = rng.uniform(2, 4)
        amplitude = self.amplitude * rng.uniform(1.0, 1.8)
        slow = 2 * np.pi * (times / (period * rng.uniform(2, 4)) + rng.uniform())
        modulated = amplitude * (1 + 0.25 * np.sin(slow))
        return lujan(times, modulated, period, self.exponent, rng.uniform())


def lujan(
    times: np.ndarray,
    amplitude: float | np.ndarray,
    period: float,
    exponent: int,
    phase: float,
) -> np.ndarray:
    """r(t) = A (1 - |cos(pi (t / period + phase))|^2n), mm (Lujan et al., 1999)."""
    cosine = np.cos(np.pi * (times / period + phase))
    return amplitude * (1 - np.abs(cosine) ** (2 * exponent))
