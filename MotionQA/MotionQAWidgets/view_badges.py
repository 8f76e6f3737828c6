"""A badge in every slice view of the layout."""

from __future__ import annotations

from collections.abc import Callable

from MotionQALib.scale import Grade

from . import slice_geometry as geometry
from .observers import Observers
from .view_badge import ViewBadge


class ViewBadges:
    """Badges by slice node.

    Parameters
    ----------
    changed : called when a view shows another slice, or another volume
    """

    def __init__(self, changed: Callable[..., object]) -> None:
        self._changed = changed
        self._badges: dict[str, ViewBadge] = {}
        self._observers = Observers()

    def renew(self) -> None:
        """Put a badge into every view that there is now, and into no other."""
        self.remove()
        for widget in geometry.slice_widgets():
            node, layers = widget.mrmlSliceNode(), widget.sliceLogic().GetSliceCompositeNode()
            self._badges[node.GetID()] = ViewBadge(widget.sliceView())
            for followed in (node, layers):
                if followed is not None:
                    self._observers.add(followed, "ModifiedEvent", self._changed)

    def show(self, slice_node, words: tuple[str, Grade] | None) -> None:
        """Show a text in its grade's colour; None shows nothing."""
        badge = self._badges.get(slice_node.GetID())
        if badge is not None and words is not None:
            badge.show(*words)
        elif badge is not None:
            badge.hide()

    def remove(self) -> None:
        self._observers.clear()
        for badge in self._badges.values():
            badge.remove()
        self._badges = {}
