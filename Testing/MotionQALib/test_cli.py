"""The ``motionqa`` command, as a user meets it."""

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from MotionQALib import cli, volumes
from MotionQALib.assessment import Assessor
from MotionQALib.batch import ResumeFile

LIBRARY = Path(cli.__file__).resolve().parents[1]


@pytest.fixture
def run(capfd, checkpoint_file):
    """Run a command line in this process: exit status, stdout, stderr."""

    def command(*arguments, checkpoint=checkpoint_file):
        given = [str(argument) for argument in arguments]
        if given[:1] == ["assess"] and checkpoint:
            given += ["--checkpoint", str(checkpoint), "--device", "cpu", "--precision", "fp32"]
        status = cli.main(given)
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return command


@pytest.fixture
def study(phantom_file, cine_file, tmp_path):
    """A folder with a stack, a cine and a damaged file."""
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(phantom_file, folder / "stack.nii.gz")
    shutil.copy(cine_file, folder / "cine.nii.gz")
    (folder / "damaged.nii.gz").write_bytes(phantom_file.read_bytes()[:700])
    return folder


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_good_files_are_graded_and_bad_ones_named(run, study, tmp_path):
    outputs = {kind: tmp_path / f"o.{kind}" for kind in ("csv", "json", "html")}
    options = [part for kind, path in outputs.items() for part in (f"--{kind}", path)]
    status, out, err = run("assess", study, tmp_path / "missing.nii", *options)
    assert status == 1
    assert sorted(err.splitlines()) == [
        "damaged.nii.gz is cut short or damaged; copy or export it again.",
        "missing.nii does not exist; check the path.",
    ]
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["volume", "motion"]
    assert [line.split()[0] for line in lines[1:3]] == ["cine", "stack"]
    assert lines[-1].endswith("not a medical device.")
    assert {row["volume"] for row in rows_of(outputs["csv"])} == {"cine", "stack"}
    content = json.loads(outputs["json"].read_text("utf-8"))
    assert len(content["assessments"]) == 2
    assert [f["reason"] for f in content["failures"]] == sorted(err.splitlines())
    page = outputs["html"].read_text("utf-8")
    assert page.count("<figure") == 8
    assert "damaged.nii.gz is cut short" in page
    assert {path.name for path in tmp_path.iterdir()} == {"study", "o.csv", "o.json", "o.html"}


def test_all_good_is_status_0(run, phantom_file, tmp_path):
    status, out, err = run("assess", phantom_file, "--csv", tmp_path / "o.csv")
    assert (status, err) == (0, "")
    grades = {row["slice"]: row["grade"] for row in rows_of(tmp_path / "o.csv")}
    assert len(grades) == 5
    assert out.splitlines()[1].split()[1].rstrip("?") == grades[""]


def test_explanation_is_laid_over_the_pictures(run, phantom_file, tmp_path):
    status, _, _ = run("assess", phantom_file, "--html", tmp_path / "o.html", "--explain")
    assert status == 0
    assert (tmp_path / "o.html").read_text("utf-8").count('class="overlay"') == 4


def test_slice_axis_is_passed_on(run, phantom_file, tmp_path):
    run("assess", phantom_file, "--csv", tmp_path / "o.csv", "--slice-axis", "0")
    shape = volumes.read(phantom_file).voxels.shape
    assert len(rows_of(tmp_path / "o.csv")) == shape[3] + 1


def test_any_file_name(run, phantom_file, tmp_path):
    folder = tmp_path / "Übung 心臓 'x' $HOME"
    folder.mkdir()
    path = folder / "père & fils = 1.nii.gz"
    shutil.copy(phantom_file, path)
    outputs = [folder / "grädes.csv", folder / "o.json", folder / "o.html"]
    status, out, err = run(
        "assess", folder, "--csv", outputs[0], "--json", outputs[1], "--html", outputs[2]
    )
    assert (status, err) == (0, "")
    assert "père & fils = 1 " in out
    assert rows_of(outputs[0])[0]["volume"] == "père & fils = 1"


@pytest.mark.skipif(sys.platform != "linux", reason="only here are names any bytes")
def test_file_name_that_is_no_text(run, phantom_file, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/heart-\xff.nii.gz")
    shutil.copy(phantom_file, path)
    outputs = [tmp_path / f"o.{kind}" for kind in ("csv", "json", "html")]
    status, _, err = run(
        "assess", path, "--csv", outputs[0], "--json", outputs[1], "--html", outputs[2]
    )
    assert (status, err) == (0, "")
    assert all(output.read_text("utf-8") for output in outputs)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["assess"], "PATH"),
        (["assess", "x.nii", "--device", "abacus"], "--device"),
        (["assess", "x.nii", "--slice-axis", "7"], "an axis is 0, 1, 2 or 3"),
        (["assess", "x.nii", "--batch-size", "0"], "whole number from 1"),
        (["assess", "x.nii", "--explain"], "--html"),
        (["assess", "x.nii", "--resume"], "--csv"),
        (["assess", "x.nii", "--csv", "x.nii"], "overwritten"),
        (["assess", "x.nii", "--csv", "a", "--json", "a"], "two outputs"),
        (["assess", "x.nii", "--csv", "."], "is a folder"),
        (["assess", "x.nii", "--csv", "no/such/folder.csv"], "there is no folder"),
        (["assess", "x.nii", "--csv", "n" * 250 + ".csv"], "cannot be written"),
        (["assess", "x.nii", "--csv", "n" * 300], "cannot be written"),
        (["assess", "x.nii", "--csv", "n/" * 3000 + "n"], "cannot be written"),
    ],
)
def test_bad_usage_is_status_2_and_told_before_anything_is_read(
    run, monkeypatch, tmp_path, arguments, words
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(volumes, "find", None)
    status, out, err = run(*arguments, checkpoint=None)
    assert (status, out) == (2, "")
    assert words in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["stack.nii.gz", "my.safetensors"])
def test_images_and_checkpoints_are_not_overwritten(run, study, name):
    (study / "my.safetensors").write_bytes(b"weights")
    before = (study / name).read_bytes()
    status, _, err = run("assess", study, "--csv", study / name)
    assert status == 2
    assert "not to be overwritten" in err
    assert (study / name).read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_nowhere(run, phantom_file, tmp_path):
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    output = tmp_path / "o.csv"
    status, _, err = run("assess", tmp_path / "loop.nii", phantom_file, "--csv", output)
    assert status == 1
    assert err.startswith("loop.nii cannot be read")
    assert {row["volume"] for row in rows_of(output)} == {"phantom-ED"}
    status, _, err = run("assess", phantom_file, "--csv", tmp_path / "loop.nii")
    assert status == 2
    assert "leads to itself" in err


def test_run_that_ends_before_its_first_result_keeps_the_last_ones(run, phantom_file, tmp_path):
    output = tmp_path / "o.csv"
    output.write_text("hours of work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        status, _, err = run("assess", phantom_file, "--csv", output, "--workers", "2")
    assert status == 1
    assert "Ray" in err
    assert output.read_text() == "hours of work"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_write_protected_output_is_told_before_grading(run, phantom_file, tmp_path):
    (tmp_path / "o.csv").touch(mode=0o444)
    status, _, err = run("assess", phantom_file, "--csv", tmp_path / "o.csv")
    assert status == 2
    assert "write-protected" in err


def test_help_and_version(run):
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("motionqa ")
    status, out, _ = run("assess", "--help", checkpoint=None)
    assert status == 0
    assert "exit status: 0 all graded" in out


def damaged_checkpoints(good: Path, folder: Path) -> dict[str, Path]:
    """Files that are no usable checkpoint."""
    from dataclasses import replace

    from safetensors.torch import load_file, save_file

    from MotionQALib import checkpoints

    tensors, card = load_file(str(good)), checkpoints.read_card(good)

    def write(name, content, card=card):
        metadata = {checkpoints.METADATA_KEY: card.to_json()}
        save_file(content, str(folder / name), metadata=metadata)
        return folder / name

    some = dict(list(tensors.items())[5:])
    pickled = folder / "pickled.safetensors"
    pickled.write_bytes(pickle.dumps({"weights": [1.0]}))
    truncated = folder / "truncated.safetensors"
    truncated.write_bytes(good.read_bytes()[:-1000])
    bare = folder / "bare.safetensors"
    save_file(tensors, str(bare))
    return {
        "wrong backbone": write("wrong.safetensors", tensors, replace(card, backbone="resnet101d")),
        "unknown backbone": write("vgg.safetensors", tensors, replace(card, backbone="vgg16")),
        "missing tensors": write("missing.safetensors", some),
        "newer": write("newer.safetensors", tensors, replace(card, format_version=99)),
        "truncated": truncated,
        "pickle": pickled,
        "no card": bare,
        "no file": folder / "nothing.safetensors",
        "folder": folder,
        "no name": Path("no-such-name"),
    }


def test_bad_checkpoint_is_one_sentence(run, checkpoint_file, phantom_file, tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    output = tmp_path / "o.csv"
    for what, path in damaged_checkpoints(checkpoint_file, folder).items():
        status, out, err = run("assess", phantom_file, "--csv", output, checkpoint=path)
        assert (status, out) == (1, ""), what
        (sentence,) = err.splitlines()
        assert path.name in sentence, what
        assert sentence.endswith("."), what
        assert not output.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints"}


def test_device_that_is_not_there_is_one_sentence(run, phantom_file, checkpoint_file, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status, _, err = run(
        "assess", phantom_file, "--checkpoint", checkpoint_file, "--device", "cuda", checkpoint=None
    )
    assert status == 1
    assert err.startswith("The device cuda cannot be used")


def test_interrupted_run_writes_what_it_has_and_goes_on(run, study, tmp_path, monkeypatch):
    output, assess = tmp_path / "o.csv", Assessor.assess

    def interrupted(self, volume, **options):
        if volume.name == "stack":
            raise KeyboardInterrupt
        return assess(self, volume, **options)

    monkeypatch.setattr(Assessor, "assess", interrupted)
    status, _, err = run("assess", study, "--csv", output)
    assert status == 130
    assert "Stopped." in err
    assert "2 of 3 files were done; the same command with --resume goes on from there." in err
    assert {row["volume"] for row in rows_of(output)} == {"cine"}

    graded = []
    monkeypatch.setattr(
        Assessor, "assess", lambda self, v, **o: graded.append(v.name) or assess(self, v, **o)
    )
    status, out, _ = run("assess", study, "--csv", output, "--resume")
    assert status == 1  # the damaged file is still damaged
    assert graded == ["stack"]
    assert "cine" in out
    assert {row["volume"] for row in rows_of(output)} == {"cine", "stack"}
    run("assess", study, "--csv", output, "--resume")
    assert graded == ["stack"]
    assert ResumeFile.beside(output).exists()


def test_failure_on_the_way_keeps_what_is_graded(run, study, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "o.csv")

    monkeypatch.setattr(ResumeFile, "add", full)
    status, _, err = run("assess", study, "--csv", tmp_path / "o.csv")
    assert status == 1
    assert "o.csv: No space left on device." in err


def test_folder_without_images_still_writes_the_outputs(run, tmp_path):
    (tmp_path / "empty").mkdir()
    status, out, err = run("assess", tmp_path / "empty", "--csv", tmp_path / "o.csv")
    assert (status, out) == (1, "")
    assert err.startswith("empty holds no images")
    assert rows_of(tmp_path / "o.csv") == []


def test_checkpoints_are_listed(run, checkpoint_file, tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIONQA_CHECKPOINTS", str(tmp_path))
    shutil.copy(checkpoint_file, tmp_path / "mine.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    status, out, _ = run("checkpoints")
    assert status == 0
    assert "mine: Random weights, for tests" in out
    assert "damaged" not in out
    status, out, _ = run("assess", tmp_path / "x.nii", "--checkpoint", "mine", checkpoint=None)
    assert status == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_reader_of_the_output_that_leaves_early(tmp_path):
    """What `| head` does; a folder without a checkpoint suffices, for `checkpoints` prints too."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [
        sys.executable,
        "-c",
        "from MotionQALib import cli; import sys; sys.exit(cli.main())",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(LIBRARY),
        "MOTIONQA_CHECKPOINTS": str(tmp_path),
    }
    result = subprocess.run(
        [*command, "checkpoints"], stdout=writer, stderr=subprocess.PIPE, env=environment
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such device")
def test_results_may_go_to_standard_output(run, phantom_file, capfd):
    status, out, _ = run("assess", phantom_file, "--csv", "/dev/stdout")
    assert status == 0
    lines = out.splitlines()
    assert sum(line.startswith("phantom-ED,") for line in lines) == 5
    assert any(line.startswith("phantom-ED ") for line in lines)


def test_files_of_one_name_are_told_apart(run, phantom_file, tmp_path):
    for folder in ("anna", "bert"):
        (tmp_path / folder).mkdir()
        shutil.copy(phantom_file, tmp_path / folder / "ED.nii.gz")
    status, out, _ = run(
        "assess", tmp_path / "anna", tmp_path / "bert", "--csv", tmp_path / "g.csv"
    )
    assert status == 0
    assert {row["volume"] for row in rows_of(tmp_path / "g.csv")} == {"anna/ED", "bert/ED"}
    assert "anna/ED" in out
