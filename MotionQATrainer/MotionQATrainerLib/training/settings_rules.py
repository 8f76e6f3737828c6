"""What each setting of a training run may be, so that none fails hours later, or means nothing."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from MotionQALib.plain_text import is_plain

if TYPE_CHECKING:
    from .training_settings import Settings

LARGEST = 2**53
"""Whole numbers beyond it are mistyped; computers even round them."""


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the setting and what it may be."""


def check_value(key: str, value: Any) -> None:
    """Refuse what no setting may be: no number, infinite, or text that is not only text.

    Raises SettingsError.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"{key} is a finite number; got {value!r}.")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise SettingsError(f"{key} is a whole number of at most 15 digits; got a larger one.")
    if isinstance(value, str) and not is_plain(value):
        raise SettingsError(f"{key} is one line of text without control characters; got {value!r}.")


def check_rules(settings: Settings) -> None:
    """Refuse what would only fail after the data have been read. Raises SettingsError."""
    data, model, training = settings.data, settings.model, settings.training
    augmentation = settings.augmentation
    both = data.validation + data.test
    rules = [
        ("data.validation", 0 <= data.validation < 1, "a share of 0 or more, below 1"),
        ("data.test", 0 <= data.test < 1, "a share of 0 or more, below 1"),
        ("data.test", both < 1, f"below 1 together with data.validation ({data.validation:g})"),
        (
            "data.margin",
            0 <= data.margin <= 1024 and data.margin % 2 == 0,
            "an even number, 0 to 1024",
        ),
        ("data.balance", 0 <= data.balance <= 1, "0 to 1"),
        ("data.epoch_slices", data.epoch_slices >= 0, "0 or more"),
        ("data.validation_slices", data.validation_slices >= 0, "0 or more"),
        ("data.simulations", data.simulations >= 1, "1 or more"),
        ("model.motion", model.motion in ("simulated", "rated"), '"simulated" or "rated"'),
        ("training.epochs", training.epochs >= 1, "1 or more"),
        ("training.batch_size", training.batch_size >= 2, "2 or more"),
        ("training.learning_rate", training.learning_rate > 0, "above 0"),
        ("training.head_rate", training.head_rate > 0, "above 0"),
        ("training.frozen", training.frozen >= 0, "0 or more"),
        ("training.weight_decay", training.weight_decay >= 0, "0 or more"),
        ("training.warmup", 0 <= training.warmup < 1, "0 or more, below 1"),
        ("training.ema", 0 <= training.ema < 1, "0 or more, below 1"),
        ("training.ordinal_weight", training.ordinal_weight >= 0, "0 or more"),
        ("training.clip", training.clip > 0, "above 0"),
        (
            "training.precision",
            training.precision in ("auto", "fp32", "bf16"),
            '"auto", "fp32" or "bf16"',
        ),
        ("training.criterion", training.criterion in ("nll", "kappa"), '"nll" or "kappa"'),
        ("training.patience", training.patience >= 0, "0 or more"),
        ("training.validate_every", training.validate_every >= 1, "1 or more"),
        ("training.seed", 0 <= training.seed < 2**32, "0 or more, below 2^32"),
        ("training.save_minutes", training.save_minutes >= 0, "0 or more"),
    ]
    rules += [
        (f"augmentation.{name}", 0 <= value < math.inf, "0 or more")
        for name, value in asdict(augmentation).items()
    ]
    rules.append(("augmentation.coarsest", augmentation.coarsest >= 1, "1 or more"))
    for key, holds, allowed in rules:
        if not holds:
            table, _, name = key.partition(".")
            value = getattr(getattr(settings, table), name)
            raise SettingsError(f"{key} must be {allowed}; got {value!r}.")
