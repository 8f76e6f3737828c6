"""The part of the panel that shows where the network saw motion."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from slicer.i18n import tr as _

from MotionQALib.volumes import VolumeError

from .checkpoint_list import Choice
from .foreground_layer import ForegroundLayer
from .grading import Grading
from .layout_watch import LayoutWatch
from .observers import Observers
from .relevance_map import RelevanceMap
from .scene_results import SceneResult


class RelevanceSection:
    """A checkbox, an opacity, and the map over the views.

    A map is made when the user asks, of the frame that is shown; while another one is shown it is
    not drawn, for it would point at the wrong places.

    Parameters
    ----------
    ui : the panel's widgets
    grading : what makes the maps; it tells of progress and failure
    choices : the checkpoints that there are
    began, say : told when a map is on its way, and what keeps one from being made
    """

    def __init__(
        self,
        ui,
        grading: Grading,
        choices: Callable[[], Iterable[Choice]],
        began: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._grading = ui, grading
        self._choices, self._began, self._say = choices, began, say
        self._layer = ForegroundLayer()
        self._followed = Observers()
        self._layout: LayoutWatch | None = None
        self._of_volume: tuple = ()
        self._settings = None
        self._entered = False
        ui.relevanceCheckBox.clicked.connect(self._on_box)
        ui.relevanceButton.clicked.connect(self._make)
        grading.finished.connect(self._on_graded)

    def enter(self) -> None:
        self._entered = True
        self._layout = LayoutWatch(self.refresh)

    def leave(self) -> None:
        """Give the views back what they showed."""
        self._entered = False
        if self._layout is not None:
            self._layout.close()
            self._layout = None
        self._layer.hide()
        self._follow(None)

    def set_settings(self, settings) -> None:
        self._settings = settings
        if settings is None:
            self._layer.hide()
            self._follow(None)

    def refresh(self, *_args) -> None:
        """Show what settings and scene say now."""
        volume = None if self._settings is None else self._settings.inputVolume
        result = self._grading.results.result_for(volume)
        found = self._map_of(result)
        box, slider = self._ui.relevanceCheckBox, self._ui.relevanceSlider
        box.enabled = result is not None
        wanted = result is not None and self._settings.relevanceVisible
        slider.enabled = wanted
        self._say_how_it_is(result, found, wanted)
        self._hide_maps_from_selector()
        if not self._entered:
            return
        self._follow(result)
        if wanted and found is not None and found.frame == result.current_frame:
            self._grading.maps.align(found.node, volume)
            self._layer.show(found.node, volume, self._settings.relevanceOpacity)
        else:
            self._layer.hide()

    def _map_of(self, result: SceneResult | None) -> RelevanceMap | None:
        """The map of what was graded; one of another checkpoint's eyes goes."""
        if result is None:
            return None
        found = self._grading.maps.map_for(result.volume_node)
        if found is not None and found.checkpoint != result.assessment.checkpoint:
            self._layer.hide()
            self._grading.maps.remove(result.volume_node)
            return None
        return found

    def _say_how_it_is(
        self, result: SceneResult | None, found: RelevanceMap | None, wanted: bool
    ) -> None:
        label, button = self._ui.relevanceLabel, self._ui.relevanceButton
        frame = result.current_frame if wanted else None
        making = bool(self._grading.running)
        there = found is not None and found.frame == frame
        sentence = ""
        if frame is not None and found is not None and not there:
            text = _("The map is of frame {frame}, so it is hidden while frame {shown} is shown.")
            sentence = text.format(frame=found.frame, shown=frame)
        elif there and found.is_blank:
            sentence = _("Nothing to show: the network hardly lowered a score for what it saw.")
        elif there and result.assessment.n_frames > 1:
            sentence = _("Map of frame {frame}.").format(frame=frame)
        label.text = sentence
        label.visible = bool(sentence)
        button.visible = frame is not None and not there and not making
        if wanted and result.assessment.n_frames > 1:
            button.text = _("Map frame {frame}").format(frame=frame)
        else:
            button.text = _("Make the map")

    def _hide_maps_from_selector(self) -> None:
        """A map is no image to grade; the selector's types cannot tell it from one."""
        hidden = [node.GetID() for node in self._grading.maps.nodes()]
        model = self._ui.volumeSelector.sortFilterProxyModel()
        if list(model.hiddenNodeIDs) != hidden:
            model.hiddenNodeIDs = hidden

    # What happens

    def _on_box(self, *_args) -> None:
        volume = None if self._settings is None else self._settings.inputVolume
        if volume is None:
            return
        self._settings.relevanceVisible = self._ui.relevanceCheckBox.checked
        if self._settings.relevanceVisible and self._grading.maps.map_for(volume) is None:
            self._make()
        self.refresh()

    def _on_graded(self, volume, _assessment) -> None:
        """The map that is wanted of what was just graded."""
        settings = self._settings
        if settings is None or not self._entered or volume is not settings.inputVolume:
            return
        if settings.relevanceVisible:
            self._make()

    def _make(self, *_args) -> None:
        """Have the frame mapped that is shown."""
        volume = self._settings.inputVolume
        result = self._grading.results.result_for(volume)
        if self._grading.running or result is None or result.current_frame is None:
            return
        name = result.assessment.checkpoint
        references = {str(c.card.get("name")): c.reference for c in self._choices()}
        if name not in references:
            text = _("It was graded with {name}, which is not installed here; assess it again.")
            self._say(text.format(name=name))
            return
        self._say("")
        try:
            self._grading.explain(volume, result.current_frame, references[name])
        except VolumeError as error:
            self._say(str(error))
            return
        self._began()

    def _follow(self, result: SceneResult | None) -> None:
        """Hear when the volume moves, the cine plays, or a view shows something else."""
        layers = [] if result is None else self._layer.composite_nodes()
        wanted = [] if result is None else [result.volume_node, result.browser_node, *layers]
        names = tuple(node.GetID() for node in wanted if node is not None)
        if names == self._of_volume:
            return
        self._of_volume = names
        self._followed.clear()
        if result is not None:
            result.follow(self._followed, self.refresh)
        for node in layers:
            self._followed.add(node, "ModifiedEvent", self.refresh)
