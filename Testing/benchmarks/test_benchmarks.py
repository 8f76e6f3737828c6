"""The benchmarks run and yield numbers; what the numbers are is not these tests' business."""

import importlib
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

NAMES = (
    "assess", "seed_route", "simulator", "training_step", "memory", "answering", "throughput",
    "study_memory", "arrival", "cine_cost",
)  # fmt: skip


@pytest.fixture
def bench(monkeypatch):
    """Imports a module of the benchmarks, which are scripts of one folder and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    threads = torch.get_num_threads()
    yield importlib.import_module
    torch.set_num_threads(threads)


def can_draw() -> bool:
    check = Path(__file__).parents[1] / "setup" / "check_libraries.sh"
    return subprocess.run(["sh", check, sys.executable], capture_output=True).returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_yields_numbers(bench, name, tmp_path, capsys):
    if name == "simulator" and importlib.util.find_spec("torchio") is None:
        pytest.skip("TorchIO is not installed; make bench installs it")
    if name == "answering" and not can_draw():
        pytest.skip("the window cannot be drawn here; Testing/setup/window.sh says why")
    file = tmp_path / "results.json"
    options = ["--quick", "--repetitions", "1", "--threads", "1"]
    backbone = ["--backbone", "tf_efficientnet_lite0"]
    assert bench("run").main([name, *options, *backbone, "--json", str(file)]) == 0
    results = json.loads(file.read_text())["results"]
    assert results
    values = [value for result in results for value in result["values"]]
    assert all(map(math.isfinite, values))
    # What an arrival takes beyond its own work is a difference, so small that it may be below 0.
    assert name == "arrival" or min(values) > 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 2 + len(results)


def test_all_benchmarks_are_run_by_default(bench):
    run = bench("run")
    assert run.parsed([]).names == list(run.NAMES)
    assert all(callable(bench(name).run) for name in run.NAMES)


def test_an_unknown_benchmark_is_refused(bench, capsys):
    with pytest.raises(SystemExit) as stopped:
        bench("run").parsed(["speed"])
    assert stopped.value.code == 2
    assert "no benchmark speed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "bound", "at_most", "verdict"),
    [
        ((1.0, 1.1, 9.0), 1.15, True, "met"),
        ((1.0, 1.2, 9.0), 1.15, True, "MISSED"),
        ((4.9, 5.0, 5.1), 5.0, False, "met"),
        ((4.8, 4.9, 9.0), 5.0, False, "MISSED"),
        ((4.8,), None, False, ""),
    ],
)
def test_the_median_is_held_against_the_bound(bench, values, bound, at_most, verdict):
    result = bench("results").Result("name", "case", "ratio", values, bound, at_most)
    assert result.verdict == verdict


def test_the_two_are_timed_in_turn_and_paired(bench):
    calls = []
    pairs = bench("timing").compare(lambda: calls.append("a"), lambda: calls.append("b"), 3, 0.0)
    # Each once to warm up and once to see how long it takes.
    assert "".join(calls[-6:]) == "abbaab"
    assert len(pairs.ratios) == 3
    assert pairs.ratios[0] == pairs.first[0] / pairs.second[0]
