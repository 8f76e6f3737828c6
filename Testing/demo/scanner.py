"""At the scanner: a study arrives in the DICOM database, in the window that stands in for Slicer's.

``python Testing/demo/scanner.py`` sends two series, waits for their grades and opens the first;
with ``--screenshot FILE``, or without a display, it writes a picture and goes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import host

host.pythonqt(__name__)  # this file spells as PythonQt does
WAIT = 600.0
"""Seconds that computing may take on a slow machine, loading torch included."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="write the picture, and go")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = Path(__file__).with_name("arriving_study.py")
        subprocess.run([sys.executable, str(study), str(folder / "sent")], check=True)
        running = host.start(window=options.screenshot is None)
        try:
            module = arrive(running, folder)
            if running.on_screen:
                running.run()
            else:
                picture(running, module, options.screenshot or Path("demo/scanner.png"))
        finally:
            running.close()
    return 0


def arrive(running: host.Host, folder: Path):
    """Switch the grading on, send the series one after the other; the module's widget."""
    import ctk
    import slicer

    database = slicer.dicomDatabase
    database.openDatabase(str(folder / "database" / "ctkDICOM.sql"))
    module = running.enter("MotionQA")
    module.tabs.show(module.scanner)
    module.scanner.switch.click()
    indexer = ctk.ctkDICOMIndexer()
    for number, series in enumerate(sorted((folder / "sent").iterdir()), start=1):
        for path in sorted(series.iterdir()):
            indexer.addFile(database, str(path), True)
        running.wait_until(lambda n=number: len(module.logic.arrivals.entries) == n, seconds=WAIT)
    return module


def picture(running: host.Host, module, path: Path) -> None:
    """The list, and beside it the first series at the slice that was worst."""
    scanner = module.scanner
    scanner.table.widget.cellClicked.emit(len(module.logic.arrivals.entries) - 1, 0)
    running.wait_until(lambda: not scanner.opening.busy, seconds=WAIT)
    running.process_events(0.5)
    module.panel.results_view.next_button.click()
    running.window.resize(1600, 1000)
    running.process_events(0.3)
    module.tabs.show(scanner)
    running.screenshot(path)
    print(f"Written: {path}")


if __name__ == "__main__":
    sys.exit(main())
