"""What is to be doubted about a volume, whoever read it: files and Slicer's scene alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .volumes import Volume

GIVEN = "was given by hand"
"""Of a remark on a spacing that somebody answers for."""

FIELD_OF_VIEW = (120.0, 800.0)
"""mm along an image's longer side, with room to spare: a chest, or at least a heart."""

DEEPEST = 200.0
"""mm from the first slice to the last, with room to spare: a ventricle is half as long."""


def doubts_of(volume: Volume) -> tuple[str, ...]:
    """Sentences about spacings that no heart can have, and frames that were taken for slices.

    The network looks at a fixed pixel spacing and a fixed field of view, so that a wrong spacing
    changes grades; 1 × 1 × 1 mm is what files say that know none.
    """
    between, rows, columns = volume.spacing
    given = any(GIVEN in remark for remark in volume.remarks)
    if (between, rows, columns) == (1.0, 1.0, 1.0) and not given:
        return (
            "No voxel size is known (1 × 1 × 1 mm stands for none), and the grade depends on it: "
            "give it with --spacing, in Slicer with the panel's field.",
        )
    longest = max(volume.voxels.shape[2] * rows, volume.voxels.shape[3] * columns)
    if not FIELD_OF_VIEW[0] <= longest <= FIELD_OF_VIEW[1]:
        return (
            f"Its field of view of {longest:.3g} mm is no heart's: if the spacing is wrong, so is "
            "the grade; give it with --spacing, in Slicer with the panel's field.",
        )
    if given or volume.n_frames > 1 or volume.n_slices < 3:
        return ()
    if between < 0.7 * min(rows, columns):
        seen = f"Its slices lie {between:.3g} mm apart, nearer than its pixels"
    elif volume.n_slices * between > DEEPEST:
        depth = volume.n_slices * between
        seen = f"Its {volume.n_slices} slices span {depth:.3g} mm, more than a short-axis stack"
    else:
        return ()
    return (f"{seen}: if they are a cine's frames, name their axis with --frame-axis.",)
