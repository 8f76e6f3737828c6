"""`slicer.dicomDatabase`: the names, signals and habits of ctkDICOMDatabase, over real files.

What it tells of them is read from the files by pydicom; which of them there are is kept in a file,
as in ctk's SQLite, so that a database that is opened again knows them. As in ctk:

- `insert` on a database tells `patientAdded`, `studyAdded`, `seriesAdded`, `instanceAdded`;
- `ctkDICOMIndexer`, by which Slicer's DICOM listener and its import work, writes through a database
  of its own in another thread: Slicer's hears only `databaseChanged`, when the file has changed;
- files are copied to names made of hashes; a deleted series' files are removed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from PySide6 import QtCore
from PySide6.QtCore import Signal

FIELDS = ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
OF_SERIES = ("Modality", "SeriesNumber", "SeriesDescription")


class ctkDICOMDatabase(QtCore.QObject):
    patientAdded = Signal(int, str, str, str)
    studyAdded = Signal(str)
    seriesAdded = Signal(str)
    instanceAdded = Signal(str)
    seriesRemoved = Signal(str)
    opened = Signal()
    closed = Signal()
    databaseChanged = Signal()

    def __init__(self):
        super().__init__()
        self.databaseFilename, self.isOpen, self.isInMemory = "", False, False
        self._watcher = QtCore.QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._on_file)
        self._state, self._rows, self._index = None, [], {}

    @property
    def databaseDirectory(self) -> str:
        return str(Path(self.databaseFilename).parent) if self.databaseFilename else ""

    def openDatabase(self, file: str, connection: str = "") -> bool:
        self.closeDatabase()
        self.databaseFilename = str(file)
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()
        self._watcher.addPath(str(file))
        self.isOpen, self._state = True, None
        self.opened.emit()
        return True

    def closeDatabase(self):
        wasOpen, self.isOpen = self.isOpen, False
        if wasOpen:
            self._watcher.removePath(self.databaseFilename)
            self.closed.emit()

    def _on_file(self, _path: str):
        self.databaseChanged.emit()

    # What is in it

    def _images(self) -> list[dict]:
        if not self.isOpen:
            return []
        status = Path(self.databaseFilename).stat()
        state = (status.st_size, status.st_mtime_ns)
        if state != self._state:
            lines = Path(self.databaseFilename).read_text("utf-8").splitlines()
            self._state, self._rows = state, [json.loads(line) for line in lines]
            self._index = {}
        return self._rows

    def _distinct(self, field: str, **where) -> tuple[str, ...]:
        """Of the rows that are alike in what is asked, by an index as SQLite has them."""
        rows, keys = self._images(), tuple(where)
        if (field, keys) not in self._index:
            index = self._index[field, keys] = {}
            for row in rows:
                index.setdefault(tuple(row[key] for key in keys), {})[row[field]] = None
        return tuple(self._index[field, keys].get(tuple(where.values()), ()))

    def patients(self):
        return self._distinct("PatientID")

    def studiesForPatient(self, patient: str):
        return self._distinct("StudyInstanceUID", PatientID=patient)

    def seriesForStudy(self, study: str):
        return self._distinct("SeriesInstanceUID", StudyInstanceUID=study)

    def instancesForSeries(self, series: str, hits: int = -1):
        found = self._distinct("SOPInstanceUID", SeriesInstanceUID=series)
        return found[:hits] if hits > 0 else found

    def filesForSeries(self, series: str, hits: int = -1):
        found = self._distinct("file", SeriesInstanceUID=series)
        return found[:hits] if hits > 0 else found

    def studyForSeries(self, series: str) -> str:
        return next(iter(self._distinct("StudyInstanceUID", SeriesInstanceUID=series)), "")

    def seriesForFile(self, file: str) -> str:
        return next(iter(self._distinct("SeriesInstanceUID", file=str(file))), "")

    def fieldForSeries(self, field: str, series: str) -> str:
        """A column of the database's table of series; no file is opened."""
        rows = (row for row in self._images() if row["SeriesInstanceUID"] == series)
        return next((row.get(field, "") for row in rows), "")

    def fileForInstance(self, instance: str) -> str:
        return next(iter(self._distinct("file", SOPInstanceUID=instance)), "")

    def instanceForFile(self, file: str) -> str:
        return next(iter(self._distinct("SOPInstanceUID", file=str(file))), "")

    def insertDateTimeForSeries(self, series: str):
        times = self._distinct("time", SeriesInstanceUID=series)
        text = times[0] if times else ""
        return QtCore.QDateTime.fromString(text, QtCore.Qt.DateFormat.ISODate)

    def patientsCount(self) -> int:
        return len(self.patients())

    def seriesCount(self) -> int:
        return len(self._distinct("SeriesInstanceUID"))

    def imagesCount(self) -> int:
        return len(self._images())

    def fileValue(self, file: str, tag: str) -> str:
        """Of a tag such as "0008,103e"; empty where it is missing."""
        from pydicom import dcmread

        group, element = (int(part, 16) for part in tag.split(","))
        value = dcmread(file, stop_before_pixels=True).get((group, element))
        return "" if value is None or value.value is None else str(value.value)

    def instanceValue(self, instance: str, tag: str) -> str:
        return self.fileValue(self.fileForInstance(instance), tag)

    def descriptionForSeries(self, series: str) -> str:
        return self.fileValue(self.filesForSeries(series, 1)[0], "0008,103e")

    # What changes it

    def prepareInsert(self):
        """It keeps nothing that would have to be forgotten."""

    def insert(self, file: str, storeFile: bool = False, *_):
        """Take a file in, and tell."""
        before = self._images()
        row = self._written(Path(file), storeFile)
        if row is None:
            return
        tell = {
            "PatientID": lambda uid: self.patientAdded.emit(1, uid, row["PatientName"], ""),
            "StudyInstanceUID": self.studyAdded.emit,
            "SeriesInstanceUID": self.seriesAdded.emit,
            "SOPInstanceUID": self.instanceAdded.emit,
        }
        for field, emit in tell.items():
            if all(other[field] != row[field] for other in before):
                emit(row[field])

    def _written(self, file: Path, store: bool) -> dict | None:
        from pydicom import dcmread

        header = dcmread(file, stop_before_pixels=True)
        row = {field: str(header.get(field, "")) for field in (*FIELDS, *OF_SERIES)}
        if any(other["SOPInstanceUID"] == row["SOPInstanceUID"] for other in self._images()):
            return None
        if store:
            uids = (row[f] for f in FIELDS[2:])
            parts = [hashlib.md5(uid.encode()).hexdigest()[:12] for uid in uids]
            stored = Path(self.databaseDirectory, "dicom", *parts)
            stored.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, stored)
            file = stored
        now = QtCore.QDateTime.currentDateTime().toString(QtCore.Qt.DateFormat.ISODate)
        row |= {"file": str(file), "time": now}
        with Path(self.databaseFilename).open("a", encoding="utf-8") as index:
            index.write(json.dumps(row) + "\n")
        return row

    def removeSeries(self, series: str, *_) -> bool:
        for file in self.filesForSeries(series):
            if file.startswith(self.databaseDirectory):
                Path(file).unlink(missing_ok=True)
        rows = [row for row in self._images() if row["SeriesInstanceUID"] != series]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        Path(self.databaseFilename).write_text(lines, encoding="utf-8")
        self.seriesRemoved.emit(series)
        return True


class ctkDICOMIndexer(QtCore.QObject):
    """Takes files in, as Slicer's DICOM listener does."""

    indexingComplete = Signal(int, int, int, int)

    def __init__(self):
        super().__init__()
        self.backgroundImportEnabled = False

    def addFile(self, database: ctkDICOMDatabase, file: str, copy: bool = False):
        database._written(Path(file), copy)  # and nothing is told

    def waitForImportFinished(self, *_):
        """It is when `addFile` returns."""
