"""The module on a volume, in the window that stands in for Slicer's; `make demo` ends with it.

It presses *Assess motion*, waits for the grades, and leaves the window to the user. Without a
display, or when it is asked for screenshots, it writes the pictures and goes.

As in Slicer, torch is imported by the grading process alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import host
from host.host import has_display

WAIT = 600.0
"""Seconds that grading may take on a slow machine, loading torch included."""


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    shown = has_display() and options.screenshots is None
    running = host.start(window=shown)
    try:
        panel = running.enter("MotionQA")
        panel.ui.volumeSelector.setCurrentNode(opened(options.volume))
        sentence = graded(running, panel)
        print(f"\nThe module in its window: {sentence}")
        if shown:
            print("Close the window to end the demonstration.", flush=True)
            running.run()
        else:
            folder = options.screenshots or options.volume.resolve().parents[1]
            print(f"A picture of it: {pictured(running, folder / 'assess.png')}")
    finally:
        running.close()
    return 0


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("volume", type=Path, help="a NIfTI, NRRD or MetaImage file")
    parser.add_argument(
        "--screenshots", type=Path, metavar="FOLDER", help="write the pictures there, and go"
    )
    return parser.parse_args(arguments)


def opened(path: Path):
    """The volume, with its middle slice in the slice views."""
    import slicer

    node = slicer.util.loadVolume(str(path))
    slicer.util.resetSliceViews()
    return node


def graded(running: host.Host, panel) -> str:
    """Press the button; what the panel says then."""
    panel.ui.assessButton.click()
    running.wait_until(lambda: not panel.logic.grading.running, seconds=WAIT)
    return panel.ui.resultLabel.text() or panel.ui.messageLabel.text()


def pictured(running: host.Host, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    running.window.resize(1600, 1000)
    running.process_events(0.3)
    running.screenshot(path)
    return path.resolve()


if __name__ == "__main__":
    sys.exit(main())
