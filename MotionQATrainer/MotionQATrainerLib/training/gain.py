"""Whether an adapted checkpoint is better than the one it began from, so that chance is no gain.

The likelihood alone can be had for nothing: a network that learns from shuffled labels to say their
frequencies is likelier than a sure one that errs, and grades worse than guessing. Better means that
likelihood, κ and accuracy of held-out subjects do not contradict each other, and beat guessing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MotionQALib import bootstrap
from MotionQALib.bootstrap import Interval
from MotionQALib.scale import GRADE_OF_SCORE, Grade, median_score

RESAMPLES = 1000
SEED = 0


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A checkpoint's results on subjects that nothing of it was fitted on.

    Parameters
    ----------
    levels : (n, 5) bool, the scores that each label allows
    probabilities : (n, 5)
    subjects : (n,) names
    figures : metric -> value
    """

    levels: np.ndarray
    probabilities: np.ndarray
    subjects: np.ndarray
    figures: dict[str, Interval]

    @property
    def surprises(self) -> np.ndarray:
        """Minus the logarithm of each label's likelihood, (n,)."""
        return surprises(self.levels, self.probabilities)


@dataclass(frozen=True)
class Gain:
    """What changed, after - before, with 95 % intervals over subjects.

    Parameters
    ----------
    nll : mean -log likelihood
    kappa, accuracy : of the three grades, linear weights
    doubts : why it is not called better; empty where it is
    """

    nll: Interval
    kappa: Interval
    accuracy: Interval
    doubts: tuple[str, ...]

    @property
    def is_better(self) -> bool:
        return not self.doubts

    def sentence(self, old: str) -> str:
        """The finding and what to do, where the checkpoint before is called ``old``."""
        if self.is_better:
            return (
                "On held-out subjects it agrees with your readers better than before, and better "
                "than guessing would."
            )
        return (
            "On held-out subjects it does not agree with your readers better than before: "
            f"{'; '.join(self.doubts)}. Keep using {old}, check the labels, or score more volumes."
        )


def gain(before: HeldOut, after: HeldOut) -> Gain:
    """Set an adapted checkpoint against the one before, on the same labels."""
    rng = np.random.default_rng(SEED)
    weights = bootstrap.subject_weights(after.subjects, RESAMPLES, rng)
    once = np.ones((1, len(after.subjects)))
    if len(set(map(str, after.subjects))) < 2:
        weights = weights[:0]  # one subject's images tell nothing of others

    def change(figure) -> Interval:
        value = float((figure(after, once) - figure(before, once))[0])
        return Interval(value, *bootstrap.limits(figure(after, weights) - figure(before, weights)))

    found = change(_nll), change(_kappa), change(_accuracy)
    kappa = Interval(float(_kappa(after, once)[0]), *bootstrap.limits(_kappa(after, weights)))
    return Gain(*found, tuple(_doubts(*found, kappa, after)))


def _doubts(nll: Interval, kappa: Interval, accuracy: Interval, chance: Interval, after: HeldOut):
    """Sentences without a stop; what is undefined proves nothing."""
    if not nll.high < 0:
        yield "their scores are not clearly more likely to it"
    for name, change in (("κ", kappa), ("accuracy", accuracy)):
        if change.high < 0:
            yield f"{name} fell, by {-change.value:.2f}"
        elif not change.high >= 0:
            yield f"how {name} changed cannot be told from these subjects"
    if not chance.low > 0:
        yield "its grades do not beat guessing (the interval of κ reaches 0)"
    elif not after.surprises.mean() < _guessing(after).mean():
        yield "always naming the scores' frequencies would be likelier"


def surprises(levels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Minus the logarithm of what (n, 5) probabilities give to (n, 5) allowed scores, (n,)."""
    return -np.log(np.maximum((probabilities * levels).sum(axis=1), 1e-12))


def _guessing(results: HeldOut) -> np.ndarray:
    """Surprises of somebody who sees no image and knows how often each score is given."""
    levels = np.asarray(results.levels, dtype=np.float64)
    frequencies = (levels / levels.sum(axis=1, keepdims=True)).mean(axis=0)
    return surprises(levels, np.broadcast_to(frequencies, levels.shape))


def _nll(results: HeldOut, weights: np.ndarray) -> np.ndarray:
    return bootstrap.ratio(weights @ results.surprises, weights.sum(axis=1))


def _kappa(results: HeldOut, weights: np.ndarray) -> np.ndarray:
    return bootstrap.kappa(_confusion(results, weights), 1)


def _accuracy(results: HeldOut, weights: np.ndarray) -> np.ndarray:
    return bootstrap.accuracy(_confusion(results, weights))


def _confusion(results: HeldOut, weights: np.ndarray) -> np.ndarray:
    truth = GRADE_OF_SCORE[np.asarray(results.levels).argmax(axis=1)] - Grade.MILD
    reported = GRADE_OF_SCORE[median_score(results.probabilities) - 1] - Grade.MILD
    return bootstrap.confusion(truth, reported, weights, len(Grade))
