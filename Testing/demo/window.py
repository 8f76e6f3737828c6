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

host.pythonqt(__name__)  # this file spells as PythonQt does
SAMPLE = Path("demo/volumes/sample-3-free.nii.gz")  # its slices differ most
WAIT = 600.0
"""Seconds that computing may take on a slow machine, loading torch included."""


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    running = host.start(window=options.screenshots is None)
    leave_open = running.on_screen
    try:
        if not leave_open:
            import slicer

            slicer.app.userSettings().setValue("MotionQA/Reader", "A. Reader")
        panel = running.enter("MotionQA")
        open_volume(options.volume)
        sentence = grade(running, panel)
        print(f"\nThe module in its window: {sentence}", flush=True)
        if leave_open:
            print("Close the window to end the demonstration.", flush=True)
            running.run()
        else:
            pictures(running, panel, options.screenshots or Path("demo"))
        return 0 if panel.ui.resultLabel.text else 1
    finally:
        running.close()


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("volume", type=Path, nargs="?", default=SAMPLE, help=f"a volume's file ({SAMPLE})")
    add("--screenshots", type=Path, metavar="FOLDER", help="write the pictures there, and go")
    return parser.parse_args(arguments)


def open_volume(path: Path) -> None:
    """As a user does; the module takes the volume that is in the slice views."""
    import slicer

    node = slicer.util.loadVolume(str(path))
    slicer.util.resetSliceViews()
    slicer.util.getModuleWidget("MotionQA").ui.volumeSelector.setCurrentNode(node)


def grade(running: host.Host, panel) -> str:
    """Press the button; what the panel says then. The worst slice is in the views."""
    panel.ui.assessButton.click()
    running.wait_until(lambda: not panel.logic.grading.running, seconds=WAIT)
    panel.panel.results_view.next_button.click()
    return panel.ui.resultLabel.text or panel.ui.messageLabel.text


def pictures(running: host.Host, panel, folder: Path) -> None:
    """Write the window with the grades, and with the relevance map over them."""
    folder.mkdir(parents=True, exist_ok=True)
    running.window.resize(1600, 1000)
    running.process_events(0.3)
    running.screenshot(folder / "assess.png")
    panel.ui.relevanceCheckBox.click()
    running.wait_until(lambda: not panel.logic.grading.running, seconds=WAIT)
    running.screenshot(folder / "relevance.png")
    print(f"Pictures of it: assess.png and relevance.png in {folder.resolve()}")


if __name__ == "__main__":
    sys.exit(main())
