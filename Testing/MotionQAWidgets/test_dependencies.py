"""Missing packages: named, asked for once, installed only after a yes."""

from __future__ import annotations

import sys
import types

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
            host.pip.missing.discard("torch")
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
    host.pip.missing = {"torch", "timm", "nibabel"}
    assert dependencies.ensure() is None
    (question,) = host.dialogs.shown
    assert all(name in question.text for name in ("torch", "timm", "nibabel"))
    assert torch_extension == [{"askConfirmation": False, "torchVersionRequirement": ">=2.4"}]
    assert host.pip.installed == [["timm>=1.0.9", "nibabel>=5.2"]]


def test_no_means_no(host, dependencies, torch_extension):
    host.pip.missing = {"torch", "timm"}
    host.dialogs.answers = [False]
    said = dependencies.ensure()
    assert "torch, timm" in said and host.pip.installed == [] and torch_extension == []


def test_without_the_torch_extension_it_says_what_to_do(host, dependencies):
    host.pip.missing = {"torch"}
    assert "Extensions Manager" in dependencies.ensure()
    assert host.dialogs.shown == []


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
    monkeypatch.setattr(dependencies, "_slicer_packaging", lambda: None)
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
    panel = host.enter("MotionQA")
    panel.panel._lacking = None
    host.leave()
    panel.logic.grading.worker.close()
    host.enter("MotionQA")
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
