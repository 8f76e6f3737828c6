"""Where the size of pixels is given that a volume's file does not know.

field = SpacingField(changed)
layout.addWidget(field.widget)
field.refresh(volumeNode)   # shown only where the volume's spacing cannot be a heart's
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import qt
from slicer.i18n import tr as _

from MotionQALib.volume_remarks import GIVEN, remarks_on
from MotionQALib.volumes import Volume, VolumeError

from .volume_input import REMARKS, VolumeInput, frame_nodes, remarks_of, sequence_of


class SpacingField:
    """A number and a button; see the top of this file.

    Parameters
    ----------
    changed : called when a volume was given another spacing
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed, self._volume = changed, None
        self.widget = qt.QWidget()
        self.widget.objectName = "MotionQASpacingField"
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        label = qt.QLabel(_("Pixel size:"))
        self.number = qt.QDoubleSpinBox()
        self.number.minimum, self.number.maximum = 0.2, 10.0
        self.number.decimals, self.number.singleStep = 3, 0.1
        self.number.value, self.number.suffix = 1.4, _(" mm")
        label.setBuddy(self.number)
        self.button = qt.QPushButton(_("Set"))
        self.button.toolTip = _("Give the volume square pixels of this size, then assess it again.")
        self.button.clicked.connect(self._on_button)
        for part in (label, self.number, self.button):
            row.addWidget(part)
        self.widget.visible = False

    def refresh(self, volume) -> None:
        self._volume = volume
        self.widget.visible = bool(volume is not None and _is_doubted(volume))

    def _on_button(self, *_args) -> None:
        node, size = self._volume, self.number.value
        axis = VolumeInput.of_node(node).slice_axis
        for frame in {one.GetID() or id(one): one for one in (node, *frame_nodes(node))}.values():
            spacing = [size] * 3
            spacing[axis] = frame.GetSpacing()[axis]
            frame.SetSpacing(spacing)
        sequence = sequence_of(node)
        text = f"Its pixel spacing, {size:g} mm, {GIVEN}."
        kept = node if sequence is None else sequence
        others = [remark for remark in remarks_of(node) if GIVEN not in remark]
        kept.SetAttribute(REMARKS, json.dumps([*others, text]))
        self._changed()


def _is_doubted(node) -> bool:
    try:
        given = VolumeInput.of_node(node)
    except VolumeError:  # told when it is graded
        return False
    shape = (len(given.frames), *given.frames[0].shape)
    nothing = np.broadcast_to(np.int16(0), shape)
    return bool(remarks_on(Volume(nothing, given.spacing, remarks=given.remarks)))
