"""Missing packages: named, asked for once, installed only after a yes."""

from __future__ import annotations

import sys
import types
from importlib import metadata

import pytest

from host import pythonqt

pythonqt(__name__)


@pytest.fixture
def torch_extension(monkeypatch, host):
    """The PyTorch extension, which "installs" torch."""
    asked = []

    class PyTorchUtilsLogic:
        def installTorch(self, **options):  # noqa: N802
            asked.append(options)
            host.pip.missing -= {"torch", "torchvision"}
            return object()

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = PyTorchUtilsLogic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return asked


@pytest.fixture
def dependencies(host):
    host.load_module("MotionQA")
    from MotionQAWidgets import dependencies

    return dependencies


def test_ranges_and_no_pins(dependencies):
    for requirement in dependencies.required():
        assert {part.operator for part in requirement.specifier} == {">="}
    assert not {"numpy", "SimpleITK"} & {r.name for r in dependencies.required()}


def test_with_everything_there_nobody_is_asked(host, dependencies):
    assert dependencies.ensure() is None
    assert host.dialogs.shown == [] and host.pip.installed == []


def test_it_asks_once_naming_all_and_takes_torch_from_the_extension(
    host, dependencies, torch_extension
):
    host.pip.missing = {"torch", "torchvision", "timm", "nibabel"}
    assert dependencies.ensure() is None
    (question,) = host.dialogs.shown
    assert all(name in question.text for name in ("torch>", "torchvision", "timm", "nibabel"))
    assert "Extensions Manager" not in question.text
    assert torch_extension == [{"askConfirmation": False, "torchVersionRequirement": ">=2.4"}]
    assert host.pip.installed == [["timm>=1.0.9", "nibabel>=5.2"]]


def test_no_means_no(host, dependencies, torch_extension):
    host.pip.missing = {"torch", "timm"}
    host.dialogs.answers = [False]
    said = dependencies.ensure()
    assert "torch, timm" in said and host.pip.installed == [] and torch_extension == []


def test_torchvision_alone_is_chosen_to_fit_the_torch_that_is_there(
    host, dependencies, torch_extension
):
    host.pip.missing = {"torchvision"}
    assert dependencies.ensure() is None
    installed = metadata.version("torch").partition("+")[0]
    (asked,) = torch_extension
    assert asked["torchVersionRequirement"] == f"=={installed}" and host.pip.installed == []


def test_without_the_torch_extension_all_comes_from_the_registry(host, dependencies, monkeypatch):
    """As with --additional-module-paths, where no other extension is."""
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    host.pip.missing = {"torch", "torchvision", "timm"}
    host.dialogs.answers = [False, True]
    assert "torch, torchvision, timm" in dependencies.ensure() and host.pip.installed == []
    assert dependencies.ensure() is None
    first, second = host.dialogs.shown
    assert first.text == second.text and "Extensions Manager" in first.text
    assert host.pip.installed == [["torch>=2.4", "torchvision>=0.19", "timm>=1.0.9"]]


def test_a_second_press_while_pip_runs_installs_nothing_twice(host, dependencies, monkeypatch):
    import slicer.packaging

    said = []

    def press_again(requirements, **_):
        said.append(dependencies.ensure())
        host.pip.install(requirements)

    host.pip.missing = {"timm"}
    monkeypatch.setattr(slicer.packaging, "pip_ensure", press_again)
    assert dependencies.ensure() is None
    assert "being installed" in said[0] and len(host.pip.installed) == 1
    assert len(host.dialogs.shown) == 1


def test_a_failing_installation_is_a_sentence(host, dependencies, monkeypatch):
    import slicer.packaging

    def fail(*_, **__):
        raise RuntimeError("no network")

    host.pip.missing = {"timm"}
    monkeypatch.setattr(slicer.packaging, "pip_ensure", fail)
    assert "no network" in dependencies.ensure()
    monkeypatch.setattr(slicer.packaging, "pip_ensure", lambda *_, **__: None)
    assert "Still missing" in dependencies.ensure()


def test_an_older_slicer_installs_with_pip_install(host, dependencies, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)  # importing it fails
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("numpy>=1.0  # there\nno-such-package>=1\nnumpy>=999\n")
    assert dependencies.names_of(dependencies.missing(wanted)) == "no-such-package, numpy"
    assert "Still missing" in dependencies.ensure(wanted)
    assert host.pip.installed == [["no-such-package>=1", "numpy>=999"]]


def test_declining_leaves_the_panel_usable(host, dependencies):
    import numpy as np
    import slicer

    host.pip.missing = {"timm"}
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    slicer.util.updateVolumeFromArray(node, np.arange(12288.0).reshape(3, 64, 64))
    host.unload_module("MotionQA")  # a new one looks what there is
    panel = host.enter("MotionQA")
    assert "timm" in panel.ui.deviceLabel.text and not panel.logic.grading.worker.running
    host.dialogs.answers = [False]
    panel.ui.assessButton.click()
    assert "as you chose: timm" in panel.ui.messageLabel.text
    assert panel.ui.assessButton.enabled and panel.ui.assessButton.text == "Assess motion"
    assert host.pip.installed == [] and not panel.logic.grading.worker.running
    panel.ui.assessButton.click()  # this time yes
    assert host.pip.installed == [["timm>=1.0.9"]]
    host.wait_until(lambda: panel.ui.assessButton.text == "Assess motion", seconds=150)
    assert panel.ui.resultLabel.text
