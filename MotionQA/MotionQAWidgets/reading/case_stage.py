"""Brings the case that is read into the views, and the next one into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.reading.reading_list import Item
from MotionQALib.volumes import VolumeError

from ..signals import Signal
from ..volume_input import VolumeInput
from .case_view import CaseView, Words
from .case_volumes import CaseVolumes
from .desk import Desk
from .network_grade import NetworkGrade
from .scene_cases import nodes_by_case

AHEAD = 300
"""Milliseconds after which the next case is read, so that a case just shown can be scrolled."""


class CaseStage:
    """The case of a desk in Slicer's views.

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
        desk: Desk,
        scene_nodes: Mapping[str, str],
        network: NetworkGrade,
        badge: Callable[[int | None], Words],
    ) -> None:
        self.scrolled = Signal()
        self.node, self.problem = None, ""
        self._desk, self._scene_nodes, self._network = desk, scene_nodes, network
        self._badge = badge
        self._volumes = CaseVolumes()
        self._view: CaseView | None = None
        self._visit: int | None = None
        self._timer = qt.QTimer()
        self._timer.interval = AHEAD
        self._timer.timeout.connect(self._read_ahead)

    def enter(self) -> None:
        if self._view is None:
            self._view = CaseView(self._badge)
            self._view.changed.connect(self._on_scrolled)
            self._visit = None
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
        """Show the desk's case and slice; whether the case is another.

        again : even if it is shown already
        """
        visit = self._desk.visit
        if self._view is None or visit is None:
            return False
        if again or visit != self._visit:
            self._visit = visit
            self._show_case()
            return True
        if self._desk.per_slice:
            self._view.show_slice(self._desk.item.place.slice)
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
        if self._desk.per_slice and self._view.slice is None:
            return _("No slice of the case is in view; scroll back to one.")
        if self._desk.per_slice and self._view.slice != self._desk.item.place.slice:
            self.scrolled.emit(self._view.slice)
            return _("Another slice came into view: look, then score it.")
        return None

    def name_of(self, visit: int) -> str:
        """What the reader may call a case."""
        item = self._desk.visits[visit][0]
        if item.name is None:
            return _("Case {number}").format(number=item.number)
        return _("{number} · {name}").format(number=item.number, name=item.name)

    def is_there(self, item: Item) -> bool:
        """Whether the case's file, or its volume in the scene, is where it was."""
        if item.case.path is None:
            return item.case.key in self._scene_nodes
        return self._desk.session.file_of(item) is not None

    def withhold(self) -> None:
        """Keep from Slicer's other panels what the reader must not know yet."""
        loaded = {key: node.GetID() for key, node in self._volumes.nodes.items()}
        hidden = set()
        for items in self._desk.visits:
            key = items[0].case.key
            ids = {loaded.get(key), self._scene_nodes.get(key)} - {None}
            if ids and not self._desk.session.may_see_network(items[0]):
                hidden |= ids
        self._network.withhold(hidden)

    def _show_case(self) -> None:
        self.problem, self.node, item, axis = "", None, self._desk.item, 2
        try:
            name = self.name_of(self._desk.visit)
            if self._is_replaced(item):
                text = _("{name} is not the image that was added; add the study's images again.")
                raise VolumeError(text.format(name=name))
            self.node = self._volumes.node(item.case.key, self._source_of(item), name)
            axis = VolumeInput.of_node(self.node).slice_axis
        except VolumeError as error:
            self.problem = str(error)
        unreadable = self._desk.session.unreadable
        (unreadable.add if self.problem else unreadable.discard)(item.case.key)
        self.withhold()
        self._view.show(self.node, axis, item.place.slice)
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
        following = self._desk.next_visit
        if following is not None:
            item = self._desk.visits[following][0]
            if not self._is_replaced(item):
                self._volumes.read_ahead(item.case.key, self._source_of(item))
            self.withhold()

    def _is_replaced(self, item: Item) -> bool:
        """Whether its file holds another image now, to which no score of the case may be given."""
        return not self._volumes.is_ready(item.case.key) and self._desk.session.is_replaced(item)

    def _source_of(self, item: Item):
        """The case's file; a volume of the scene by its ID."""
        if item.case.path is not None:
            return self._desk.session.file_of(item) or ""
        if slicer.mrmlScene.GetNodeByID(self._scene_nodes.get(item.case.key, "")) is None:
            self._scene_nodes = nodes_by_case()
        return self._scene_nodes.get(item.case.key, "")

    def _on_scrolled(self) -> None:
        if self._visit == self._desk.visit:
            self.scrolled.emit(self._view.slice)
