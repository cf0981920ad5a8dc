"""Where planes of a roof end: at drops to lower planes, and where nothing was measured."""

from __future__ import annotations

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.footprint_cells import cell_boxes
from solarkataster.roofs.model import Heights, RoofModel, plane_at

#: A plane this far under another one beside it lies beyond that one's edge, as the ground does. [m]
MIN_DROP_M = 0.5

#: Outlines share their borders but for rounding. [m]
_BORDER_M = 0.005


def outlines_at_drops(model: RoofModel) -> list[shapely.Geometry]:
    """
    Outline of the roof as each plane has it: without the planes that lie lower beside it.

    An edge on this outline is a free one. On a flat roof people and wind come to it, whether the
    ground lies below or the roof of a lower wing.

    Parameters
    ----------
    model : RoofModel

    Returns
    -------
    outlines : list of shapely geometry, length n_plane
        The roof's own outline for planes without a drop. [m]
    """
    outlines = np.array(model.outlines, dtype=object)
    beyond: list[list[int]] = [[] for _ in outlines]
    first, second = shapely.STRtree(outlines).query(outlines, "dwithin", _BORDER_M)
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i != j and _drop_m(model, i, j) > MIN_DROP_M:
            beyond[i].append(j)
    return [
        shapely.difference(model.outline, shapely.union_all(outlines[lower]))
        if lower
        else model.outline
        for lower in beyond
    ]


def _drop_m(model: RoofModel, i: int, j: int) -> float:
    """How far plane j lies under plane i in the middle of their border; 0 if it is a point. [m]"""
    border = shapely.intersection(
        shapely.buffer(model.outlines[i], _BORDER_M), shapely.boundary(model.outlines[j])
    )
    if border.length <= 4.0 * _BORDER_M:
        return 0.0
    middle = shapely.line_interpolate_point(_longest(border), 0.5, normalized=True)
    height_m = plane_at(model, middle.x, middle.y)
    return float(height_m[i] - height_m[j])


def _longest(lines: shapely.Geometry) -> shapely.LineString:
    parts = shapely.get_parts(shapely.line_merge(lines))
    return parts[int(np.argmax(shapely.length(parts)))]


def unmeasured_part(model: RoofModel, heights: Heights) -> shapely.Geometry | None:
    """
    Where planes go on over cells nothing was measured in, three by three or more; None if nowhere.

    Parameters
    ----------
    model : RoofModel
    heights : Heights
        What it was made from.

    Returns
    -------
    part : shapely geometry or None
        Of the roof. [m]
    """
    # The rim goes on outwards: beyond a grid that ends in a void nothing is known either.
    void = np.pad(np.isnan(heights.elevation_m), 1, mode="edge")
    blocks = ndimage.binary_opening(void, np.ones((3, 3)))[1:-1, 1:-1]
    return cell_boxes(heights.grid, *np.nonzero(blocks & (model.planes.labels > 0)))
