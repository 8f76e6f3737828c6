"""What the network is measured against: two ways of grading that train no network.

Both give each slice five probabilities, and each volume its own through a ``VolumeRule`` fitted
on the training subjects, so that they are evaluated just as the network is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from MotionQALib.scale import SCORES
from MotionQALib.volume_rule import VolumeRule

from ..data.datasets import SliceStore
from .quality import quality_features

FOLDS = 3
BATCH = 64


@dataclass(frozen=True, eq=False)
class Slices:
    """Labelled slices, as the baselines take them.

    images : (n, size, size), preprocessed; memory-mapped and float16 will do.
    levels : (n, 5) bool, the scores that each slice's label allows.
    subjects : (n,) names.
    volumes : (n,) names or numbers; the slices of a volume stand in its order.
    volume_levels : the allowed scores, five bool, of the volumes that have a label of their own.
    """

    images: np.ndarray
    levels: np.ndarray
    subjects: np.ndarray
    volumes: np.ndarray
    volume_levels: Mapping[Hashable, np.ndarray]

    def __post_init__(self):
        for name in ("levels", "subjects", "volumes"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
            if len(getattr(self, name)) != len(self.images):
                raise ValueError(
                    f"{len(self.images)} images need as many {name}; "
                    f"got {len(getattr(self, name))}."
                )

    @classmethod
    def of(cls, store: SliceStore, indices: np.ndarray) -> Slices:
        """Take stored slices as the network's input, volume by volume.

        Their order becomes the volumes', so labels and subjects are to be taken from here too.
        """
        indices = indices[np.lexsort((store.slices[indices], store.volumes[indices]))]
        size = store.preprocessing.size
        images = np.empty((len(indices), size, size), np.float16)
        for start in range(0, len(indices), BATCH):
            batch, _ = store.batch(indices[start : start + BATCH])
            images[start : start + BATCH] = batch[:, 0].numpy()
        volumes, first = np.unique(store.volumes[indices], return_index=True)
        named = zip(volumes.tolist(), store.images[indices[first]], strict=True)
        levels = store.volume_levels
        return cls(
            images=images,
            levels=store.levels[indices],
            subjects=store.subjects[indices],
            volumes=store.volumes[indices],
            volume_levels={volume: levels[name] for volume, name in named if name in levels},
        )


@dataclass(frozen=True, eq=False)
class Prediction:
    """Probabilities (n, 5) of the slices, in their order, and (5,) of each volume."""

    slices: np.ndarray
    volumes: dict[Hashable, np.ndarray]


class Baseline:
    """Features of a slice, a classifier of scores, and a rule from slices to the volume."""

    title: str

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return features (n, f) of images (n, size, size)."""
        raise NotImplementedError

    def candidates(self) -> list:
        """Return unfitted scikit-learn classifiers; the likeliest on held-out subjects is kept."""
        raise NotImplementedError

    def fit(self, train: Slices) -> Baseline:
        """Fit on training subjects: the classifier, and the rule on held-out folds of them."""
        features = self.features(train.images)
        held_out = [
            _held_out(candidate, features, train.levels, train.subjects)
            for candidate in self.candidates()
        ]
        costs = [_cost(probabilities, train.levels) for probabilities in held_out]
        best = int(np.argmin(costs))
        self.scorer = _Scorer(self.candidates()[best], features, train.levels)
        self.rule = _fit_rule(held_out[best], train)
        return self

    def predict(self, test: Slices) -> Prediction:
        """Grade slices and their volumes; labels are not looked at."""
        slices = self.scorer(self.features(test.images))
        volumes = {name: self.rule(slices[test.volumes == name]) for name in _names(test.volumes)}
        return Prediction(slices, volumes)


class ImageQualityForest(Baseline):
    """Image-quality measures and a random forest."""

    title = "Image quality + random forest"

    def features(self, images: np.ndarray) -> np.ndarray:
        return quality_features(images)[0]

    def candidates(self) -> list:
        from sklearn.ensemble import RandomForestClassifier

        return [
            RandomForestClassifier(300, min_samples_leaf=leaf, max_features="sqrt", random_state=0)
            for leaf in (3, 15)
        ]


class FrozenNetwork(Baseline):
    """A backbone's ImageNet features, untouched, and a linear classifier.

    ``origin`` says, after the first use, which weights the features come from: random ones where
    the pretrained were not to be had.
    """

    title = "Frozen ImageNet features + linear"

    def __init__(self, backbone: str | None = None, device: str = "cpu", batch_size: int = 64):
        from MotionQALib.backbones import STARTER_BACKBONE

        self.backbone = backbone or STARTER_BACKBONE
        self.device, self.batch_size = device, batch_size
        self.origin: str | None = None
        self._model = None

    def features(self, images: np.ndarray) -> np.ndarray:
        import torch

        model = self._pretrained(images.shape[-1])
        pooled = []
        with torch.inference_mode():
            for start in range(0, len(images), self.batch_size):
                batch = np.asarray(images[start : start + self.batch_size], dtype=np.float32)
                maps = model.forward_features(torch.from_numpy(batch)[:, None].to(self.device))
                pooled.append(model.forward_head(maps, pre_logits=True).float().cpu().numpy())
        return np.concatenate(pooled)

    def candidates(self) -> list:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        # About a thousand features of correlated slices: strong regularisation does best.
        return [
            make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))
            for strength in (1e-4, 1e-3, 1e-2)
        ]

    def _pretrained(self, size: int):
        if self._model is None:
            from MotionQALib.backbones import create

            self._model, self.origin = create(self.backbone, pretrained=True, size=size)
            self._model.eval().to(self.device)
        return self._model


class _Scorer:
    """A classifier of the label sets that occur; what a grade gets is shared among its scores."""

    def __init__(self, classifier, features: np.ndarray, levels: np.ndarray):
        kinds, index = np.unique(levels, axis=0, return_inverse=True)
        self.shares = kinds / kinds.sum(axis=1, keepdims=True)
        # One kind alone is nothing to learn, and some classifiers refuse it.
        self.classifier = classifier.fit(features, index.ravel()) if len(kinds) > 1 else None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return (n, 5); scores that no label allowed in training get nothing."""
        if self.classifier is None:
            return np.tile(self.shares, (len(features), 1))
        return self.classifier.predict_proba(features) @ self.shares


def _held_out(classifier, features, levels, subjects) -> np.ndarray:
    """Return probabilities (n, 5) of slices whose subjects the classifier was not fitted on."""
    from sklearn.base import clone
    from sklearn.model_selection import GroupKFold

    n_subjects = len(np.unique(subjects))
    if n_subjects < 2:
        raise ValueError("A baseline needs at least two training subjects; label more.")
    probabilities = np.zeros((len(features), len(SCORES)))
    folds = GroupKFold(min(FOLDS, n_subjects))
    for fit, rest in folds.split(features, groups=subjects):
        scorer = _Scorer(clone(classifier), features[fit], levels[fit])
        probabilities[rest] = scorer(features[rest])
    return probabilities


def _cost(probabilities: np.ndarray, levels: np.ndarray) -> float:
    return float(-np.log(np.maximum((probabilities * levels).sum(axis=1), 1e-3)).mean())


def _fit_rule(probabilities: np.ndarray, train: Slices) -> VolumeRule:
    names = [name for name in _names(train.volumes) if name in train.volume_levels]
    return VolumeRule.fit(
        [probabilities[train.volumes == name] for name in names],
        np.array([train.volume_levels[name] for name in names], dtype=bool),
    )


def _names(volumes: np.ndarray) -> list:
    """Return the distinct volumes in the order in which they come."""
    return list(dict.fromkeys(volumes.tolist()))
