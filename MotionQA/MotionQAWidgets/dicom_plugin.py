"""*Short-axis cine stack* in Slicer's DICOM browser: series read by the library.

Slicer's own importer makes a volume of 256 × 256 × 1 of a ragged cine, and a sequence a slice of
what a scanner wrote as a series for each slice. This plugin offers the whole with more confidence
than the others, as a sequence with time and geometry.

Slicer asks its plugins on the main thread and waits for each. Examining reads headers alone, each
file's once and none of its pixels; loading reads what the user asked for, and shows that it does.
"""

from __future__ import annotations

import logging
from pathlib import Path

import slicer
from DICOMLib import DICOMPlugin
from slicer.i18n import tr as _

from MotionQALib.formats.dicom_series import sort_files
from MotionQALib.formats.dicom_stack import layout_of
from MotionQALib.formats.image_stack import Stack
from MotionQALib.volumes import VolumeError

from .series_volume import volume_of_files

CONFIDENCE = 0.95
"""Slicer's reader of scalar volumes is sure to 0.5 at most, that of multi-volumes to 0.9."""


class ShortAxisPlugin(DICOMPlugin):
    """Offers stacks of cardiac MR; see the top of this file."""

    def __init__(self) -> None:
        super().__init__()
        self.loadType = _("Short-axis cine stack")

    def examineForImport(self, fileLists) -> list:  # noqa: N802, N803  Slicer's name
        """Loadables of all series chosen together: they may be the slices of one stack."""
        files = [Path(file) for files in fileLists for file in files]
        try:
            found = sort_files(files)
            return [self._loadable(stack) for stack in found.stacks if is_cine_stack(stack)]
        except VolumeError as error:
            logging.info("MotionQA offers nothing of these files: %s", error)
        return []

    def _loadable(self, stack: Stack):
        layout = layout_of(stack.pictures)
        loadable = slicer.qSlicerDICOMLoadable()
        loadable.files = sorted(str(file) for file in stack.files)
        described = stack.first.file.text("SeriesDescription") or _("short-axis stack")
        text = _("{series}: {slices} slices × {frames} frames, short-axis cine stack")
        loadable.name = text.format(
            series=described, slices=len(layout.grid), frames=layout.n_frames
        )
        loadable.tooltip = " ".join(
            [_("All slices and frames as one sequence."), *stack.remarks, *layout.remarks]
        )
        loadable.warning = " ".join(layout.remarks)
        loadable.selected = True
        loadable.confidence = CONFIDENCE
        return loadable

    def load(self, loadable):
        """The volume in which the stack plays; None, and a sentence in the log, if it cannot."""
        try:
            node = volume_of_files(list(loadable.files), loadable.name.partition(":")[0])
        except VolumeError as error:
            logging.error(str(error))
            slicer.util.errorDisplay(str(error))
            return None
        self.addSeriesInSubjectHierarchy(loadable, node)
        return node


def is_cine_stack(stack: Stack) -> bool:
    """Magnetic resonance of several moments, or slices that a scanner wrote as several series."""
    modality = stack.first.file.text("Modality").upper()
    if modality not in ("", "MR") or stack.first.place is None:
        return False
    layout = layout_of(stack.pictures)
    return layout.n_frames > 1 or len(stack.series) > 1
