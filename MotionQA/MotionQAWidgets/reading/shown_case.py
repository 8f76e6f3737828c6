"""Brings the case that is read into the views, and the next one into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.worklist import Item
from MotionQALib.signals import Signal
from MotionQALib.volumes import VolumeError

from ..volume_input import VolumeInput
from .case_names import CaseNames
from .case_view import CaseView, Words
from .case_volumes import CaseVolumes
from .network_grade import NetworkGrade
from .scene_cases import nodes_by_case

AHEAD = 300
"""Milliseconds after which the next case is read, so that a case just shown can be scrolled."""


class ShownCase:
    """The case at which a reader is, in Slicer's views.

    Between `leave` and `enter` nothing is drawn or observed in them; the volumes stay.

    Signals
    -------
    scrolled(index) : to another slice; None where none of the case is in view

    Parameters
    ----------
    scene_nodes : ids of volumes in the scene, by case
    badge : what stands over a slice

    Attributes
    ----------
    node : the volume of the case; None where it could not be read
    problem : why, in a sentence
    """

    def __init__(
        self,
        scoring: ReaderScoring,
        names: CaseNames,
        scene_nodes: Mapping[str, str],
        network: NetworkGrade,
        badge: Callable[[int | None], Words],
    ) -> None:
        self.scrolled = Signal()
        self.node, self.problem = None, ""
        self._scoring, self._names = scoring, names
        self._scene_nodes, self._network = scene_nodes, network
        self._badge = badge
        self._volumes = CaseVolumes()
        self._view: CaseView | None = None
        self._reading: int | None = None
        self._timer = qt.QTimer()
        self._timer.interval = AHEAD
        self._timer.timeout.connect(self._read_ahead)

    def enter(self) -> None:
        if self._view is None:
            self._view = CaseView(self._badge)
            self._view.changed.connect(self._on_scrolled)
            self._reading = None
            self.show()
            self._view.focus()

    def leave(self) -> None:
        self._timer.stop()
        if self._view is not None:
            self._view.close()
            self._view = None

    def close(self) -> None:
        """The study is closed: its volumes leave the scene."""
        self.leave()
        self._volumes.close()
        self._network.withhold(())
        self.scrolled.disconnect()

    @property
    def entered(self) -> bool:
        return self._view is not None

    def focus(self) -> None:
        if self._view is not None:
            self._view.focus()

    def show(self, *, again: bool = False) -> bool:
        """Show the reader's case and slice; whether the case is another.

        again : even if it is shown already
        """
        reading = self._scoring.reading
        if self._view is None or reading is None:
            return False
        if again or reading != self._reading:
            self._reading = reading
            self._show_case()
            return True
        if self._scoring.per_slice:
            self._view.show_slice(self._scoring.item.key.slice)
        return False

    def update(self) -> None:
        """Scores or the network's grades are others now."""
        self.withhold()
        if self._view is not None:
            self._view.update()

    def forget_scene(self) -> None:
        """The scene was closed: the ids of its volumes may be those of others from now on."""
        self._scene_nodes = {}

    def why_not(self) -> str | None:
        """Why what is in view cannot be scored; None if it can."""
        if self.node is None or self.problem or self._view is None:
            return self.problem or _("No case is shown.")
        if not self._view.is_shown:
            self.show(again=True)
            return _("The case was not in view. It is now: look, then score it.")
        if self._scoring.per_slice and self._view.slice is None:
            return _("No slice of the case is in view; scroll back to one.")
        if self._scoring.per_slice and self._view.slice != self._scoring.item.key.slice:
            self.scrolled.emit(self._view.slice)
            return _("Another slice came into view: look, then score it.")
        return None

    def is_there(self, item: Item) -> bool:
        """Whether the case's file, or its volume in the scene, is where it was."""
        if item.case.path is None:
            return item.case.key in self._scene_nodes
        return self._scoring.session.file_of(item) is not None

    def is_ready(self, case: str) -> bool:
        """Whether a case, by its key, is in memory."""
        return self._volumes.is_ready(case)

    def withhold(self) -> None:
        """Keep from Slicer's other panels what the reader must not know yet."""
        loaded = {key: node.GetID() for key, node in self._volumes.nodes.items()}
        hidden = set()
        for items in self._scoring.readings:
            key = items[0].case.key
            ids = {loaded.get(key), self._scene_nodes.get(key)} - {None}
            if ids and not self._scoring.session.may_see_network(items[0]):
                hidden |= ids
        self._network.withhold(hidden)

    def _show_case(self) -> None:
        self.problem, self.node, item, axis = "", None, self._scoring.item, 2
        try:
            name = self._names.of_reading(self._scoring.reading)
            if self._is_replaced(item):
                text = _("{name} is not the image that was added; add the study's images again.")
                raise VolumeError(text.format(name=name))
            self.node = self._volumes.node(item.case.key, self._source_of(item), name)
            axis = VolumeInput.of_node(self.node).slice_axis
        except VolumeError as error:
            self.problem = str(error)
        unreadable = self._scoring.session.unreadable
        (unreadable.add if self.problem else unreadable.discard)(item.case.key)
        self.withhold()
        self._view.show(self.node, axis, item.key.slice)
        if self.node is not None:
            self._offer_to_play()
        self._timer.start()

    def _offer_to_play(self) -> None:
        """Let Slicer's sequence controls play a cine."""
        module = slicer.modules.sequences
        browser = module.logic().GetFirstBrowserNodeForProxyNode(self.node)
        if browser is not None:
            module.showSequenceBrowser(browser)

    def _read_ahead(self, *_args) -> None:
        self._timer.stop()
        following = self._scoring.next_reading
        if following is not None:
            item = self._scoring.readings[following][0]
            if not self._is_replaced(item):
                self._volumes.read_ahead(item.case.key, self._source_of(item))
            self.withhold()

    def _is_replaced(self, item: Item) -> bool:
        """Whether its file holds another image now, to which no score of the case may be given."""
        return not self._volumes.is_ready(item.case.key) and self._scoring.session.is_replaced(item)

    def _source_of(self, item: Item):
        """The case's file; a volume of the scene by its ID."""
        if item.case.path is not None:
            return self._scoring.session.file_of(item) or ""
        if slicer.mrmlScene.GetNodeByID(self._scene_nodes.get(item.case.key, "")) is None:
            self._scene_nodes = nodes_by_case()
        return self._scene_nodes.get(item.case.key, "")

    def _on_scrolled(self) -> None:
        if self._reading == self._scoring.reading:
            self.scrolled.emit(self._view.slice)
