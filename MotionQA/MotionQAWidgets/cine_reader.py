"""4-D NIfTI, MetaImage and NRRD files as volume sequences.

Slicer itself opens only their first frame, and says nothing of the others; an NRRD file whose
frames are a list it opens as a sequence, as this does.

    cine_reader.frame_count(path)          # of its header alone; 1 where it is no cine
    sequence, browser = cine_reader.load(path)
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from MotionQALib.error_text import last_line
from MotionQALib.formats.file_kinds import stem_of
from MotionQALib.formats.frame_counts import frames_in_header
from MotionQALib.formats.streams import Inflated, open_inflated, skip
from MotionQALib.formats.volume_error import in_plain_words
from MotionQALib.volumes import VolumeError

SOURCE = "MotionQA.Source"
"""The sequence's attribute that names the file, to which Slicer could not write it back."""

SUFFIXES = (".nii", ".nii.gz")

CONFIDENCE = 0.6
"""Slicer's reader of volumes is sure to 0.57 of a .nii.gz, its reader of sequences to 0.58 of a
4-D .nrrd."""

HEADER = 348
"""Bytes of a header that are looked at: all of NIfTI-1's, most of NIfTI-2's."""


class _Kind(NamedTuple):
    """Where a NIfTI header's fields are, and what they are to `struct`."""

    dim: int
    integer: str
    bitpix: int
    vox_offset: int
    number: str


KINDS = {348: _Kind(40, "h", 72, 108, "f"), 540: _Kind(16, "q", 14, 168, "q")}
"""By the size that the header gives of itself: NIfTI-1 and NIfTI-2."""

TIME_UNITS = (8, 16, 24)
"""NIfTI's codes of seconds, milliseconds and microseconds, all of which ITK turns to seconds."""


SHORTEST = 0.002
"""Seconds between frames; what is less stands for no time at all."""


def confidence(path: str | Path) -> float:
    """How sure a reader may be that a file is a cine; it is asked of every file that is opened.

    A file with gradient strengths beside it is diffusion-weighted: it can be opened as a sequence,
    but not unasked.
    """
    if frame_count(path) < 2:
        return 0.0
    stem = str(path).removesuffix(".gz").removesuffix(".nii")
    return 0.4 if Path(f"{stem}.bval").exists() else CONFIDENCE


def frame_count(path: str | Path) -> int:
    """Frames that a file promises in its header; 1 where Slicer opens all that there is."""
    if not str(path).lower().endswith(SUFFIXES):
        return frames_in_header(Path(path))
    try:
        with open_inflated(Path(path)) as stream:
            return _promised(stream.read(HEADER))[0]
    except (OSError, EOFError, zlib.error, struct.error):
        return 1


def _promised(header: bytes) -> tuple[int, int]:
    """Frames, 1 where there is no axis of them alone, and the bytes of the whole file."""
    for order in "<>":
        kind = KINDS.get(struct.unpack_from(f"{order}i", header)[0])
        if kind is None:
            continue
        axes, *lengths = struct.unpack_from(f"{order}8{kind.integer}", header, kind.dim)
        (bits,) = struct.unpack_from(f"{order}h", header, kind.bitpix)
        (start,) = struct.unpack_from(order + kind.number, header, kind.vox_offset)
        lengths = [max(1, length) for length in lengths[:axes]]
        behind = [length for length in lengths[3:] if length > 1]  # perhaps x, y, z, 1, t
        frames = behind[0] if len(behind) == 1 else 1
        return frames, int(start) + math.prod(lengths) * bits // 8
    return 1, 0


def load(path: str | Path, name: str = "", show: bool = True) -> tuple:
    """Open a 4-D file: the sequence, and the browser that plays it, None unless ``show``.

    SimpleITK reads the file; it comes with Slicer, and a frame has the voxels and lies where it
    would as a file of its own. (Of a 4-D file's first frame Slicer loses the directions.)

    Raises
    ------
    VolumeError : it is no such file, or damaged; a sentence for the user
    """
    path = Path(path)
    image = _read(path)
    name = name or stem_of(path)
    scene = slicer.mrmlScene
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", scene.GenerateUniqueName(name))
    sequence.SetAttribute(SOURCE, str(path))
    times = _times(image)
    sequence.SetIndexName(_("time") if times else _("frame"))
    sequence.SetIndexUnit("s" if times else "")
    _fill(sequence, image, times)
    return sequence, play(sequence) if show else None


def serve(reader, properties: dict) -> bool:
    """Do what Slicer asks of a file reader: qSlicerFileReader and its properties."""
    reader.loadedNodes = []
    try:
        show = bool(properties.get("show", True))
        sequence, browser = load(properties["fileName"], str(properties.get("name") or ""), show)
    except VolumeError as error:
        reader.userMessages().AddMessage(vtk.vtkCommand.ErrorEvent, str(error))
        return False
    reader.loadedNodes = [node.GetID() for node in (sequence, browser) if node is not None]
    return True


def _read(path: Path):
    import SimpleITK

    _check_whole(path)
    try:
        image = SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        text = _("{path} cannot be read ({reason}); copy or export it again.")
        raise VolumeError(text.format(path=path, reason=last_line(str(error)))) from None
    image = _without_inner_axis(image)
    if image.GetDimension() != 4 or image.GetNumberOfComponentsPerPixel() != 1:
        text = _("{path} is no 4-D image in shades of grey; open it as a volume.")
        raise VolumeError(text.format(path=path))
    return image


def _without_inner_axis(image):
    """x, y, z, 1, t as x, y, z, t."""
    import SimpleITK

    size = image.GetSize()
    if len(size) != 5 or size[3] != 1:
        return image
    strategy = SimpleITK.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX
    return SimpleITK.Extract(image, (*size[:3], 0, size[4]), [0] * 5, strategy)


def _check_whole(path: Path) -> None:
    """Refuse a file that is cut short: ITK takes zeros for what it lacks, and says nothing."""
    if not str(path).lower().endswith(SUFFIXES):
        return
    with in_plain_words(path), open_inflated(path) as stream:
        _frames, size = _promised(stream.read(HEADER))
        skip(path, stream, size - HEADER)
        if isinstance(stream, Inflated):
            stream.finish()  # which checks the sum


def _times(image) -> list[str]:
    """Of the frames, in seconds; none where the file does not give them."""
    unit = image.GetMetaData("xyzt_units") if image.HasMetaDataKey("xyzt_units") else ""
    step = image.GetSpacing()[3]
    if not unit.isdecimal() or int(unit) & 0x38 not in TIME_UNITS or not SHORTEST < step < math.inf:
        return []  # sequences take moments for one that are nearer to each other
    return [f"{number * step:.6g}" for number in range(image.GetSize()[3])]


def _fill(sequence, image, times: list[str]) -> None:
    """Add the frames, one after the other: besides the file's voxels there is one copy of them."""
    import SimpleITK

    to_ras = slicer.util.vtkMatrixFromArray(_ijk_to_ras(image))
    voxels = SimpleITK.GetArrayViewFromImage(image)
    for number, frame in enumerate(voxels):
        value = times[number] if times else str(number)
        empty, node = slicer.vtkMRMLScalarVolumeNode(), slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(node, frame)
        node.SetIJKToRASMatrix(to_ras)
        node.SetName(f"{sequence.GetName()}_{number:04d}")
        sequence.SetDataNodeAtValue(empty, value)
        sequence.UpdateDataNodeAtValue(node, value, True)  # shares the voxels, not copies them


def _ijk_to_ras(image) -> np.ndarray:
    to_ras = np.eye(4)
    directions = np.reshape(image.GetDirection(), (4, 4))[:3, :3]
    to_ras[:3, :3] = directions * image.GetSpacing()[:3]
    to_ras[:3, 3] = image.GetOrigin()[:3]
    to_ras[:2] *= -1  # ITK's axes point to the left and the back
    return to_ras


def play(sequence):
    """A browser that plays the sequence in a volume, which the views show."""
    scene, module = slicer.mrmlScene, slicer.modules.sequences
    name = scene.GenerateUniqueName(f"{sequence.GetName()} browser")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    module.logic().UpdateProxyNodesFromSequences(browser)
    module.showSequenceBrowser(browser)
    proxy = browser.GetProxyNode(sequence)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActiveVolumeID(proxy.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()
    return browser
