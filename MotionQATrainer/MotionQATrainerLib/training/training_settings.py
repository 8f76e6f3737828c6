"""Everything that shapes a training run, apart from which files: one TOML file, four tables.

The file is read strictly, because a misspelt setting that is silently ignored costs a training
run. What is not in the file keeps its default, and ``--set table.name=value`` overrides both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from MotionQALib import backbones
from MotionQALib.preprocessing import Preprocessing
from MotionQALib.whole_files import write_whole

from ..data.augmentation import Augmentation
from .settings_rules import LARGEST, SettingsError, check_rules, check_value


@dataclass(frozen=True)
class DataSettings:
    """Which subjects and slices are learned from.

    Parameters
    ----------
    validation, test : share of the subjects held out, where no split file is given
    margin : pixels cached around the network's input, for shifts and turns
    balance : 0 draws slices as they come, 1 every score equally often, between them tempered
    epoch_slices : slices drawn in an epoch; 0: as many as there are
    validation_slices : slices looked at while training, spread evenly; 0: all
    simulations : for training on clean volumes, sets of motion drawn for validation
    distinct_subjects : subjects whose names look like one person's (`check` lists them) are
        different people, as somebody has made sure
    """

    validation: float = 0.15
    test: float = 0.2
    margin: int = 32
    balance: float = 0.7
    epoch_slices: int = 0
    validation_slices: int = 1500
    simulations: int = 1
    distinct_subjects: bool = False


@dataclass(frozen=True)
class ModelSettings:
    """What is trained, and what its card says.

    Parameters
    ----------
    backbone : timm's name, one of MotionQALib.backbones.BACKBONES
    pretrained : start from ImageNet weights
    size, spacing : network input in pixels and mm a pixel; 0: the backbone's own
    locator : of the heart in single frames, see `Preprocessing`
    name, title : of the card; empty: the checkpoint's file name
    data, licence : what it learned from and the licence of the weights, for the card
    motion : "simulated" or "rated" (by readers); "simulated" wherever the labels tell
    """

    backbone: str = backbones.STARTER_BACKBONE
    pretrained: bool = True
    size: int = 0
    spacing: float = 0.0
    locator: str = "free"
    name: str = ""
    title: str = ""
    data: str = ""
    licence: str = ""
    motion: str = "rated"

    @property
    def preprocessing(self) -> Preprocessing:
        """Settings of the network's input."""
        own = backbones.get(self.backbone).preprocessing
        return replace(
            own,
            size=self.size or own.size,
            spacing=self.spacing or own.spacing,
            locator=self.locator,
        )


@dataclass(frozen=True)
class TrainingSettings:
    """How it is trained.

    Parameters
    ----------
    head_rate : multiplies the learning rate of the new classifier
    frozen : groups of layers, counted from the image, that keep their weights: faster on a CPU
    warmup : share of the steps in which the learning rate rises
    ema : decay of the averaged weights, the ones that are validated and saved; 0: none
    precision : "auto" (on a CPU the fastest, by trying), "fp32" or "bf16"
    criterion : validation figure that picks the best epoch: "nll" or "kappa"
    patience : epochs without improvement before it stops; 0: never
    validate_every : epochs
    save_minutes : time between two states that a killed run resumes from
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 5e-4
    head_rate: float = 3.0
    frozen: int = 0
    weight_decay: float = 0.02
    warmup: float = 0.05
    ema: float = 0.998
    ordinal_weight: float = 1.0
    clip: float = 5.0
    precision: str = "auto"
    criterion: str = "nll"
    patience: int = 0
    validate_every: int = 1
    save_minutes: float = 3.0
    seed: int = 0


@dataclass(frozen=True)
class Settings:
    """The four tables of a settings file."""

    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self):
        backbones.get(self.model.backbone)
        _ = self.model.preprocessing
        check_rules(self)

    @classmethod
    def load(cls, path: str | Path, base: Settings | None = None) -> Settings:
        """Read a TOML file; what it lacks is that of ``base``. Raises SettingsError naming it."""
        path = Path(path)
        try:
            content = _toml().loads(
                path.read_text(encoding="utf-8-sig")
            )  # Notepad begins with a mark
        except OSError as error:
            reason = error.strerror or error
            raise SettingsError(f"{path} cannot be read: {reason}; check the path.") from error
        except ValueError as error:
            raise SettingsError(f"{path} is not a TOML file: {error}.") from error
        try:
            return cls.from_dict(content, base)
        except ValueError as error:
            raise SettingsError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], base: Settings | None = None) -> Settings:
        """Settings of a dictionary of tables; what it lacks is that of ``base``, or its default."""
        return (base or cls()).changed(
            {
                f"{table}.{name}": value
                for table, values in content.items()
                for name, value in _table(table, values).items()
            }
        )

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """Settings with ``{"table.name": value}`` replaced; the table may be left out.

        Raises SettingsError.
        """
        tables = {item.name: {} for item in fields(self)}
        for given, value in changes.items():
            key = self._whole_key(given)
            table, _, name = key.partition(".")
            known = {item.name for item in fields(getattr(self, table))} if table in tables else ()
            if not known:
                raise SettingsError(f"There is no table [{table}]; there are {', '.join(tables)}.")
            if name not in known:
                raise SettingsError(
                    f"There is no setting {name!r} in [{table}]; there are {', '.join(known)}."
                    if name
                    else f"{key!r} is not of the form table.name."
                )
            tables[table][name] = _fit(key, value, getattr(getattr(self, table), name))
        try:
            return replace(
                self, **{name: replace(getattr(self, name), **new) for name, new in tables.items()}
            )
        except SettingsError:
            raise
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def _whole_key(self, key: str) -> str:
        """``table.name`` of a name that only one table has; other keys as they are."""
        homes = [
            table.name
            for table in fields(self)
            if key in {item.name for item in fields(getattr(self, table.name))}
        ]
        if not homes and "." not in key and not hasattr(self, key):
            names = [name for table in self.to_dict().values() for name in table]
            near = get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]}?" if near else "settings.toml of a run lists them."
            raise SettingsError(f"There is no setting {key!r}; {hint}")
        return f"{homes[0]}.{key}" if len(homes) == 1 else key

    def overridden(self, assignments: Iterable[str]) -> Settings:
        """Settings with ``table.name=value`` texts applied, as a command line gives them."""
        changes = {}
        for text in assignments:
            key, equals, value = text.partition("=")
            if not equals:
                raise SettingsError(f"{text!r} is not of the form table.name=value.")
            changes[key.strip()] = _value(value.strip())
        return self.changed(changes)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        return asdict(self)

    def save(self, path: str | Path) -> None:
        """Write the settings, defaults included, so that the file says all of a run."""
        lines = []
        for table, values in self.to_dict().items():
            lines += [f"[{table}]", *(f"{k} = {_literal(v)}" for k, v in values.items()), ""]
        write_whole(path, "\n".join(lines))


def _toml():
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    return tomllib


def _table(name: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise SettingsError(f"{name!r} stands outside a table; put it below [data] or another.")
    return values


def _value(text: str) -> Any:
    """A command line's value: TOML where it is TOML, else the text itself."""
    try:
        return _toml().loads(f"value = {text}")["value"]
    except ValueError:
        return text


def _fit(key: str, value: Any, present: Any) -> Any:
    """``value`` in the type of the present one. Raises SettingsError."""
    if isinstance(present, (tuple, list)) and isinstance(value, list):
        return type(present)(value)
    if isinstance(present, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < LARGEST else math.inf
    if present is not MISSING and type(value) is not type(present):
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        wanted = words.get(type(present), "a list")
        raise SettingsError(f"{key} is {wanted}; got {value!r}.")
    check_value(key, value)
    return value


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return repr(value)
