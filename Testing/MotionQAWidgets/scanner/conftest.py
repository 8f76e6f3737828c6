"""A DICOM database that series arrive in, and the tab that lists them."""

from __future__ import annotations

import pytest

import cine_objects
from host import pythonqt

pythonqt(__name__)


@pytest.fixture
def database(host, tmp_path):
    import slicer

    slicer.dicomDatabase.openDatabase(str(tmp_path / "database" / "ctkDICOM.sql"))
    yield slicer.dicomDatabase
    slicer.dicomDatabase.closeDatabase()


@pytest.fixture
def send(database, tmp_path):
    """Send images as a scanner does: Slicer's listener has them indexed, one after the other."""
    import ctk

    indexer, sent = ctk.ctkDICOMIndexer(), iter(range(1000))

    def send(images) -> list[str]:
        paths = cine_objects.save(images, tmp_path / f"incoming-{next(sent)}")
        for path in paths:
            indexer.addFile(database, str(path), True)
            path.unlink()  # as the listener does
        return [str(image.SeriesInstanceUID) for image in images[:1]]

    return send


@pytest.fixture
def module(host, database, monkeypatch):
    """The module on its tab *At the scanner*; series are at rest after half a second."""
    import slicer

    module = host.enter("MotionQA")
    monkeypatch.setattr(type(module.logic.arrivals), "quiet", 0.5)
    monkeypatch.setattr(type(module.logic.arrivals), "patience", 1.5)
    module.tabs.show(module.scanner)
    yield module
    module = slicer.util.getModuleWidget("MotionQA")  # another one, where it was unloaded
    module.logic.arrivals.switch_off()
    module.tabs.show(module.panel)
    host.leave()
