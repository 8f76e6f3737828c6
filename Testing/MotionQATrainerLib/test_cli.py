import os
import subprocess
import sys
from pathlib import Path

import pytest

import MotionQALib
import MotionQATrainerLib
from MotionQALib import checkpoints
from MotionQATrainerLib.cli import main
from MotionQATrainerLib.runs.run_state import read_facts
from MotionQATrainerLib.simulation.phantom import Phantom
from MotionQATrainerLib.training import fit as fit_module
from MotionQATrainerLib.training.loop import STATE

SOURCES = [str(Path(package.__file__).parents[1]) for package in (MotionQALib, MotionQATrainerLib)]
SMALL = ["--set", "model.size=32", "--set", "model.spacing=1.8", "--set", "data.margin=8",
         "--set", "training.batch_size=8", "--set", "training.precision=fp32"]  # fmt: skip


def test_nothing_heavy_is_imported_for_help():
    code = (
        f"import sys; sys.path[:0] = {SOURCES!r}; import MotionQATrainerLib.cli as cli\n"
        "try: cli.main(['fit', '--help'])\nexcept SystemExit: pass\n"
        "print({'torch', 'timm', 'numpy', 'sklearn', 'nibabel'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert "--pretrained" in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["guess"],
        ["fit"],
        ["fit", "--data", "x", "--output", "y", "--epochs", "0"],
        ["simulate", "a", "b", "--subjects", "-1"],
        ["simulate", "a", "b", "--subjects", "two"],
        ["fit", "--data", "x", "--output", "y", "--seed=-1"],
        ["export-png", "out", "--data", "x", "--labels", "y", "--axis", "7"],
    ],
)
def test_bad_usage_is_2(line, capsys):
    with pytest.raises(SystemExit) as caught:
        main(line)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["fit", "--data", "{data}", "--labels", "no.csv", "--output", "{out}"], "no.csv"),
        (["fit", "--data", "{data}", "--labels", "{labels}", "--output", "x.pth"], "x.pth"),
        (["fit", "--data", "no-folder", "--labels", "{labels}", "--output", "{out}"], "no-folder"),
        (["fit", "--data", "{data}", "--labels", "{labels}", "--output", "{out}",
          "--backbone", "vgg"], "'vgg' is not one of"),
        (["fit", "--data", "{data}", "--labels", "{labels}", "--output", "{out}",
          "--set", "training.eposh=3"], "'eposh'"),
        (["fit", "--data", "{data}", "--labels", "{labels}", "--output", "{out}",
          "--init", "no-such-checkpoint"], "no-such-checkpoint"),
        (["fit", "--data", "{data}", "--labels", "{labels}", "--output", "{out}",
          "--split", "no.json"], "no.json"),
        (["evaluate", "no-such", "--data", "{data}", "--labels", "{labels}"], "no-such"),
        (["evaluate", "x", "--data", "{data}", "--labels", "{labels}", "--sweep"], "--clean"),
        (["simulate", "no-folder", "{out}", "--subjects", "1"], "no-folder"),
        (["simulate", "{data}", "{out}", "--subjects", "1", "--part", "test"], "--split"),
        (["compare", "--data", "{data}", "--labels", "no.csv", "--output", "{out}"], "no.csv"),
        (["compare", "--data", "{data}", "--labels", "{labels}", "--output", "{out}",
          "--split", "no.json"], "no.json"),
        (["export-png", "{out}", "--data", "{data}", "--labels", "no.csv"], "no.csv"),
        (["export-png", "{out}", "--data", "{data}", "--labels", "{labels}", "--axis", "3"],
         "more)"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence_and_1(line, said, rated_set, tmp_path, capsys):
    names = {
        "data": rated_set.folder,
        "labels": rated_set.scores,
        "out": tmp_path / "out.safetensors",
    }
    assert main([part.format(**names) for part in line]) == 1
    errors = capsys.readouterr().err
    assert said in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1


def test_simulate_fit_evaluate_export(tmp_path, capsys, monkeypatch):
    from MotionQALib.devices import DeviceSetup

    monkeypatch.setattr(
        fit_module, "training_setup", lambda model, device, *_: DeviceSetup(device, "fp32", True)
    )
    clean, out, png = tmp_path / "clean", tmp_path / "set", tmp_path / "png"
    clean.mkdir()
    for seed in range(4):
        phantom = Phantom(seed=seed, n_slices=3, shape=(64, 72), spacing=(10.0, 4.0, 4.0))
        phantom.save(clean / f"person{seed}.nii.gz")
    assert main(["simulate", str(clean), str(out), "--subjects", "4", "--workers", "1"]) == 0
    assert "16 volumes of 48 slices" in capsys.readouterr().out
    data = ["--data", str(out), "--labels", str(out / "scores.csv")]
    output = tmp_path / "runs" / "net.safetensors"
    assert main(["fit", *data, "--output", str(output), *SMALL, "--epochs", "1",
                 "--no-pretrained"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "Random weights." in said
    assert f"Wrote {output}." in said
    assert checkpoints.read_card(output).backbone == "tf_efficientnet_lite0"
    table = tmp_path / "table.md"
    assert main(["evaluate", str(output), *data, "--no-baselines", "--markdown", str(table),
                 "--update-card"]) == 0  # fmt: skip
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    figures = [line for line in lines if "0." in line or "1." in line]
    assert figures[0].startswith("Accuracy")
    assert figures[1].startswith("Linear-weighted")
    assert "| Accuracy" in table.read_text(encoding="utf-8")
    assert "volume_accuracy" in checkpoints.read_card(output).metrics
    assert main(["export-png", str(png), *data]) == 0
    assert "Wrote 48 slices" in capsys.readouterr().out
    assert len(list(png.rglob("*.png"))) == 48


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_run_asked_to_stop_saves_its_state(rated_set, tmp_path):
    output = tmp_path / "net.safetensors"
    code = (
        f"import os, signal, sys; sys.path[:0] = {SOURCES!r}\n"
        "from MotionQATrainerLib import cli\n"
        "def report(event):\n"
        "    if event.stage == 'train' and event.done == 3: os.kill(os.getpid(), signal.SIGTERM)\n"
        "cli._report = report\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    line = ["fit", "--data", str(rated_set.folder), "--labels", str(rated_set.scores),
            "--output", str(output), *SMALL, "--no-pretrained"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, *line], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "--resume" in done.stderr
    assert read_facts(output.with_suffix("") / STATE)["step"] == 3


def test_compare_ends_with_a_table_and_its_networks_are_evaluated(
    rated_set, tmp_path, capsys, monkeypatch
):
    from MotionQALib.devices import DeviceSetup

    monkeypatch.setattr(
        fit_module, "training_setup", lambda model, device, *_: DeviceSetup(device, "fp32", True)
    )
    data = ["--data", str(rated_set.folder), "--labels", str(rated_set.scores)]
    net = "tf_efficientnet_lite0"
    assert main(["compare", *data, "--output", str(tmp_path), "--backbones", net, *SMALL,
                 "--set", "training.epochs=1", "--set", "model.pretrained=false"]) == 0  # fmt: skip
    assert f"| {net}" in capsys.readouterr().out
    predictions = tmp_path / "p.csv"
    assert main(["evaluate", str(tmp_path / f"{net}.safetensors"), *data, "--no-baselines",
                 "--predictions", str(predictions)]) == 0  # fmt: skip
    graded = predictions.read_text().splitlines()[1:]
    assert f"Slices ({sum(row.startswith('slice') for row in graded)})" in capsys.readouterr().out
    assert sum(row.startswith("volume") for row in graded) == 8  # two subjects are tested


def test_compare_says_which_failed(rated_set, tmp_path, capsys):
    line = ["compare", "--data", str(rated_set.folder), "--labels", str(rated_set.scores),
            "--output", str(tmp_path), "--backbones", "vgg"]  # fmt: skip
    assert main(line) == 1
    assert "failed: 'vgg' is not one of" in capsys.readouterr().out


def test_a_missing_package_is_named(monkeypatch, capsys, rated_set, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    line = ["export-png", str(tmp_path), "--data", str(rated_set.folder),
            "--labels", str(rated_set.scores)]  # fmt: skip
    assert main(line) == 1
    assert "PIL" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []  # noqa: PTH208
