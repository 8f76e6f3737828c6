from dataclasses import replace
from pathlib import Path

import pytest

from MotionQATrainerLib.arguments import parser
from MotionQATrainerLib.runs.comparison_request import ComparisonRequest
from MotionQATrainerLib.runs.request import changes_of
from MotionQATrainerLib.runs.training_request import TrainingRequest

PLAIN = TrainingRequest(data=Path("d"), output=Path("o.safetensors"))
FULL = TrainingRequest(
    data=Path("my data"), output=Path("o.safetensors"), labels=Path("l'abels.csv"),
    split=Path("s.json"), settings_file=Path("s.toml"), cache=Path("c"), device="cpu",
    changes=changes_of({"epochs": 3, "pretrained": False, "criterion": "kappa", "size": [1]}),
    backbone="resnet101d", resume=True,
)  # fmt: skip
ADAPTING = replace(PLAIN, start_from="motionqa-starter", what="head", overwrite=True)


@pytest.mark.parametrize("request_", [PLAIN, FULL, ADAPTING], ids=["plain", "full", "adapting"])
def test_what_is_spelt_is_read_again(request_):
    assert TrainingRequest.from_argv(request_.to_argv()) == request_


@pytest.mark.parametrize("processes", [1, 3])
def test_the_command_that_repeats_a_run_says_by_how_many_processes(processes, tmp_path):
    wanted = replace(FULL, data=tmp_path / "my data", processes=processes)
    read = TrainingRequest.from_command(wanted.to_command() + "\n")
    assert read.processes == processes
    assert read.data == wanted.data
    assert read.output == Path("o.safetensors").resolve(), "the command holds in one folder only"
    assert replace(read, **{name: getattr(wanted, name) for name in
                            ("output", "labels", "split", "settings_file")},
                   cache=Path("c")) == wanted  # fmt: skip


def test_shorthands_of_the_command_line_become_changes():
    line = ["fit", "--data", "d", "--output", "o.safetensors", "--set", "epochs=9",
            "--epochs", "2", "--no-pretrained", "--seed", "7"]  # fmt: skip
    for read in (TrainingRequest.from_argv(line),
                 TrainingRequest.from_parsed(parser().parse_args(line))):  # fmt: skip
        assert read.changes == (
            "epochs=9", "model.pretrained=false", "training.epochs=2", "training.seed=7",
        )  # fmt: skip


@pytest.mark.parametrize("line", ["", "rm -r x", "motionqa-train fit --data d", "torchrun x",
                                  "motionqa-train fit --data d --output o --speed 3"])  # fmt: skip
def test_what_is_no_training_is_refused(line, capsys):
    with pytest.raises(ValueError, match=r"no (command|training|argument)"):
        TrainingRequest.from_command(line)


def test_a_comparison_is_read_again():
    wanted = ComparisonRequest(
        data=Path("d"), labels=Path("l"), output=Path("o"), backbones=("a", "b"), folds=3,
        changes=("epochs=1",), overwrite=True,
    )  # fmt: skip
    parsed = parser().parse_args(wanted.to_argv())
    assert ComparisonRequest.from_parsed(parsed) == wanted
