"""Grades over the slice views: a frame in the grade's colour, and the score in words.

    overlay = SliceOverlay(results)  # results: scene_results.SceneResults
    overlay.visible = False          # off; on again with True
    overlay.close()                  # nothing of it is left in any view

It follows the slice offset, the layout, the cine frame and the results by itself. A view not
parallel to the slices shows the volume's grade; one beyond them shows none.
"""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from MotionQALib.scale import Grade

from . import slice_geometry as geometry
from . import wording
from .layout_watch import LayoutWatch
from .observers import Observers
from .part_results import result_of_part
from .scene_results import SceneResult, SceneResults
from .view_badges import ViewBadges


class SliceOverlay:
    """Keeps a badge in every slice view of the layout; see the top of this file."""

    def __init__(self, results: SceneResults, *, visible: bool = True) -> None:
        self._results, self._visible, self._closed = results, visible, False
        self._badges = ViewBadges(self.update)
        self._of_scene, self._of_volumes = Observers(), Observers()
        self._followed: list[str] = []
        results.changed.connect(self.update)
        self._layout = LayoutWatch(self._attach)
        scene = slicer.mrmlScene
        self._of_scene.add(scene, scene.EndBatchProcessEvent, self.update)
        self._attach()

    @property
    def visible(self) -> bool:
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._visible = bool(visible)
        self.update()

    def update(self, *_args) -> None:
        """Show what every view now needs; cheap where nothing changed."""
        if self._closed or slicer.mrmlScene.IsBatchProcessing():
            return
        shown: dict[str, SceneResult] = {}
        for widget in geometry.slice_widgets():
            node = widget.mrmlSliceNode()
            result = self._result_in(widget) if self._visible else None
            if result is not None:
                shown[result.volume_node.GetID()] = result
            self._badges.show(node, None if result is None else badge_for(node, result))
        self._follow(shown)

    def close(self) -> None:
        """Remove everything; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self._results.changed.disconnect(self.update)
        self._layout.close()
        self._of_scene.clear()
        self._detach()

    def _result_in(self, widget) -> SceneResult | None:
        """Of the most visible volume that has one."""
        for volume in geometry.shown_volumes(widget):
            result = self._results.result_for(volume)
            if result is None:
                result = result_of_part(self._results, volume)
            if result is not None:
                return result
        return None

    # What it follows

    def _attach(self, *_args) -> None:
        self._detach()
        self._badges.renew()
        self.update()

    def _detach(self) -> None:
        self._badges.remove()
        self._of_volumes.clear()
        self._followed = []

    def _follow(self, shown: dict[str, SceneResult]) -> None:
        """Follow the volumes that are shown, as they move and play."""
        wanted = []
        for result in shown.values():
            browser = result.browser_node
            wanted += [node for node in (result.volume_node, browser) if node is not None]
        names = [node.GetID() for node in wanted]
        if names == self._followed:
            return
        self._followed = names
        self._of_volumes.clear()
        for result in shown.values():
            result.follow(self._of_volumes, self.update)


def badge_for(slice_node, result: SceneResult) -> tuple[str, Grade] | None:
    """Words and grade for a view that shows the volume; None where it shows no graded slice."""
    volume, n_slices = result.volume_node, result.assessment.n_slices
    index = geometry.slice_index(slice_node, volume, result.slice_axis)
    frame = result.current_frame
    if index is not None and not 0 <= index < (1 if result.part is not None else n_slices):
        return None
    if index is not None and result.part is not None:
        index = result.part
    if index is None or frame is None:
        index = frame = None
    row, override = result.row_for(frame, index), result.override_for(frame, index)
    if row is None:  # blank, or missing from its series
        return None
    words = wording.in_words(row)
    lines = [_("Volume: {grade}").format(grade=words) if index is None else words]
    if row.uncertain:
        lines.append(_("uncertain"))
    if override is not None:
        grade = wording.override_in_words(override)
        lines.append(_("{reader}: {grade}").format(reader=override.reader, grade=grade))
    return "\n".join(lines), wording.grade_of_row(row)
