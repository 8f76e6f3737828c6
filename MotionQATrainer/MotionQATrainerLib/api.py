"""What the Python console offers: `train`, `compare`, and `attach` and `runs` to find runs again.

What trains is a process of its own. Nothing here imports torch or Qt: Slicer stays responsive, and
what is wrong with the settings or the data is said by the child process, a few seconds later, as
`Run.error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from MotionQALib import checkpoints

from .evaluation.comparison_table import ComparisonTable
from .runs.comparison_request import ComparisonRequest
from .runs.journal import JOURNAL
from .runs.request import changes_of
from .runs.run_folder import RunFolder
from .runs.training_request import TrainingRequest, whole_path
from .training.run_process import Run


def train(
    data: str | PathLike,
    labels: str | PathLike | None = None,
    backbone: str = "coat_lite_small",
    output: str | PathLike | None = None,
    *,
    split: str | PathLike | None = None,
    start_from: str | PathLike | None = None,
    what: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    processes: int = 1,
    settings_file: str | PathLike | None = None,
    python: str | None = None,
    **settings: Any,
) -> Run:
    """Train a network that grades respiratory motion, in a process of its own; returns at once.

    >>> run = train("D:/cmr", "D:/cmr/scores.csv", epochs=20)
    >>> run.progress          # where it stands: epoch, step, time left
    >>> run.metrics           # figures of the last validation
    >>> run.cancel()          # stop after this step; train(..., resume=True) goes on from there
    >>> run.wait()            # until it is done; returns the checkpoint's path
    >>> run.checkpoint        # that path, None before

    The run goes on when Slicer is closed; `attach(run.folder)` finds it again.

    Parameters
    ----------
    data : folder of images (NIfTI, NRRD, MetaImage or DICOM), searched with its subfolders
    labels : CSV file: CMRxMotion's ``IQA.csv`` (``Image,Label``), ``image,score`` with scores
        from 1 to 5, or the labelling panel's export. None: the images are free of motion, and
        motion is simulated on them.
    backbone : timm's name: "resnet101d", "swin_base_patch4_window7_224", "coat_lite_small",
        "twins_pcpvt_base", "twins_svt_base" or "tf_efficientnet_lite0"
    output : checkpoint to write, ``NAME.safetensors``; beside it a folder NAME with settings,
        split, log, checkpoints and report.html. By default among your own checkpoints, where the
        module *MotionQA* lists it, named by backbone and time.
    split : JSON file of the subjects' parts; by default subjects are drawn, 65 % to train, 15 %
        to validate and 20 % to test. All images of a subject are on one side, always.
    start_from : checkpoint (name or file) to adapt to your own labels, rather than to begin with
        ImageNet weights; its backbone counts, not ``backbone``
    what : of ``start_from``, what is adapted: "calibration" (probabilities and the volume's
        rule), "head" (the last layer too), "all", or "auto", by the number of labels
    resume : go on where this run was stopped or killed; give the same arguments
    overwrite : start anew even where an unfinished run would be lost, or a checkpoint replaced
    device : "auto", "cpu", "cuda" or "mps"
    processes : processes that share the work (torchrun), one for each GPU
    settings_file : TOML file of settings; what is given here overrides it
    python : Python program that trains; by default this one's
    settings : any setting by its name, such as ``epochs=20``, ``batch_size=16``,
        ``learning_rate=1e-4``, ``pretrained=False``, ``seed=1``, ``patience=5``, ``size=224``,
        ``spacing=0.9``, ``balance=0.7``, ``validation=0.15``, ``test=0.2``;
        ``distinct_subjects=True`` confirms that subjects whose names look like one person's are
        different people. The file settings.toml in the run's folder lists all of them.

    Returns
    -------
    Run, with `progress`, `metrics`, `checkpoint`, `folder`, `state`, `error`, `cancel()` and
    `wait()`.
    """
    named = backbone if start_from is None else f"{Path(start_from).stem}-adapted"
    target, cache = _target(output, named)
    request = TrainingRequest(
        data=Path(data).resolve(),
        output=target,
        labels=_path(labels),
        backbone=None if start_from is not None else backbone,
        start_from=None if start_from is None else whole_path(start_from),
        what=what,
        split=_path(split),
        settings_file=_path(settings_file),
        changes=changes_of(settings),
        cache=cache,
        device=device,
        resume=resume,
        overwrite=overwrite,
        processes=processes,
    )
    if target.exists() and not (resume or overwrite):
        raise FileExistsError(
            f"{target} is there already; choose another output, or replace it (overwrite=True)."
        )
    return start(request, python=python)


def start(request: TrainingRequest, *, python: str | None = None) -> Run:
    """Start what `train` describes."""
    return Run.start(request, RunFolder(request.output).path, python=python)


def compare(
    items: Sequence[str | PathLike | Run],
    *,
    data: str | PathLike | None = None,
    labels: str | PathLike | None = None,
    output: str | PathLike | None = None,
    split: str | PathLike | None = None,
    folds: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    settings_file: str | PathLike | None = None,
    python: str | None = None,
    **settings: Any,
) -> ComparisonTable | Run:
    """Show networks side by side: ``model | Train_acc | Valid_acc | κ``.

    >>> compare([first_run, "D:/runs/second.safetensors", "motionqa-starter"])
    >>> run = compare(["resnet101d", "coat_lite_small"], data="D:/cmr", labels="D:/cmr/IQA.csv")
    >>> run.table             # the backbones trained so far

    Parameters
    ----------
    items : finished runs or checkpoints (names or files), which are compared at once; with
        ``data``, names of backbones, which are trained one after the other, under the same
        settings and the same split, in a process of its own
    data, labels, split, resume, overwrite, device, settings_file, python, settings : as for
        `train`
    output : folder of the comparison; by default in ``~/.motionqa/comparisons``
    folds : subjects are split into so many folds, each of which validates once; 0: one split

    Returns
    -------
    ComparisonTable, whose ``rows`` hold the numbers, or with ``data`` a Run, whose ``table`` is
    one.
    """
    if data is None:
        return ComparisonTable.of_checkpoints(map(_finished, items))
    if labels is None:
        raise ValueError("To train the networks that are compared, labels are needed too.")
    home = checkpoints.user_folder().parent
    folder = Path(output or home / "comparisons" / _now()).resolve()
    request = ComparisonRequest(
        data=Path(data).resolve(),
        output=folder,
        labels=_path(labels),
        backbones=tuple(map(str, items)),
        folds=folds,
        split=_path(split),
        settings_file=_path(settings_file),
        changes=changes_of(settings),
        device=device,
        resume=resume,
        overwrite=overwrite,
    )
    return Run.start(request, folder, python=python)


def attach(folder: str | PathLike) -> Run:
    """The run in a folder, or of a checkpoint's file, going on or over, whoever started it."""
    return Run.attach(Path(folder))


def runs(folder: str | PathLike | None = None) -> list[Run]:
    """Runs whose folders lie in ``folder``, by default among your own checkpoints; newest first.

    >>> [run for run in runs() if run.alive]
    """
    home = Path(folder) if folder is not None else checkpoints.user_folder()
    journals = sorted(home.glob(f"*/{JOURNAL}"), key=lambda path: path.stat().st_mtime)
    return [Run.attach(path.parent) for path in reversed(journals)]


def _target(output: str | PathLike | None, name: str) -> tuple[Path, Path | None]:
    """The checkpoint to write, and the folder for resampled slices where it is no default."""
    if output is not None:
        return Path(output).resolve(), None
    folder = checkpoints.user_folder()
    return folder / f"{name}-{_now()}{checkpoints.SUFFIX}", folder.parent / "cache"


def _finished(item: str | PathLike | Run) -> str | Path:
    if not isinstance(item, Run):
        return item
    return item.checkpoint or item.folder.with_name(item.folder.name + checkpoints.SUFFIX)


def _path(path: str | PathLike | None) -> Path | None:
    return None if path is None else Path(path).resolve()


def _now() -> str:
    return datetime.now().strftime("%Y%m%d-%H%M%S")
