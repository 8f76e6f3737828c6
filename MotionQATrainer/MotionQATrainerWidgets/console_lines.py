"""What trainings say, printed in Slicer's Python console while it stays free."""

from __future__ import annotations

from slicer.i18n import tr as _


def follow(trainings) -> None:
    """Print what the trainings say that this Slicer starts; calling it again changes nothing."""
    for signal, slot in ((trainings.said, _print_line), (trainings.ended, _print_end)):
        signal.disconnect(slot)
        signal.connect(slot)


def _print_line(training, line: str) -> None:
    print(f"[{training.name}] {line}", flush=True)


def _print_end(training) -> None:
    if training.state == "finished":
        text = _("Finished.")
    elif training.state == "stopped":
        text = _("Stopped; train(…, resume=True) goes on from here.")
    else:
        text = training.run.error
    _print_line(training, text)
