"""Parapets: rims along the outline of level roofs, narrower than the cells that show them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.roofs.heights import RoofHeights, outline_sides
from solarkataster.roofs.shapes import (
    CRUMB_M2,
    PITCHED_TILT_DEG,
    SNAP_M,
    Standing,
    moved,
    polygons_of,
)

#: A rim is no wider and no higher than this; what is higher is a wall or a neighbour. [m]
MAX_WIDTH_M, MAX_HEIGHT_M = 0.8, 2.0

#: Heights this far below the roof are of the wall. [m]
WALL_BELOW_M = 0.3

#: Of the cells within the rim at least this share stands out, of those along a side without rim at
#: most that; and rim cells line at least this share of the edge, since between two cells a rim can
#: go unseen along a whole side. [–]
MIN_SHARE, MAX_SHARE_RIMLESS, MIN_LINED = 0.7, 0.4, 0.2

#: Cells that the width gets wrong against those of the rim, at most. [–]
MAX_WRONG = 0.4


def parapet_of(
    roof: RoofHeights,
    plane: int,
    raised: np.ndarray,
    outlines: Sequence[shapely.Geometry],
    min_height_m: float,
) -> Standing | None:
    """
    Parapet of one level plane, None if it has none.

    Parameters
    ----------
    roof : RoofHeights
    plane : int
        Label of the plane.
    raised : ndarray of bool, shape (ny, nx)
        Cells that stand out of their plane.
    outlines : sequence of Polygon or MultiPolygon
        Outlines of all planes, in the coordinates of the grid.
    min_height_m : float
        Lower rims are none. [m]

    Notes
    -----
    A rim of 0.3 m lies between cells of 0.5 m, so its width is the distance from the outline that
    separates its cells from the roof's best, over all sides at once.
    """
    if roof.planes.surface_tilt[plane - 1] > PITCHED_TILT_DEG:
        return None
    n_steps = math.ceil((MAX_WIDTH_M + roof.cell_size_m) / roof.cell_size_m)
    # Laser light on the wall below tells nothing about the rim above it.
    band = roof.inside & (roof.host == plane) & roof.measured & (roof.rise_m > -WALL_BELOW_M)
    band &= ~ndimage.binary_erosion(roof.inside, iterations=n_steps)
    rows, cols = np.nonzero(band)
    stands = raised[rows, cols] & (roof.rise_m[rows, cols] <= MAX_HEIGHT_M)
    if np.count_nonzero(roof.rise_m[rows, cols][stands] > min_height_m) < 6:
        return None
    sides = outline_sides(roof.outline)
    side, depth_m = _nearest_side(roof.x_m[rows, cols], roof.y_m[rows, cols], sides)
    lined = np.ones(len(sides), dtype=bool)
    for _ in range(2):  # the width is asked again without the sides that have no rim
        counted = lined[side]
        width_m, n_wrong = _width(depth_m[counted], stands[counted])
        within = depth_m < width_m
        n_within = np.bincount(side[within], minlength=len(sides))
        n_stands = np.bincount(side[within & stands], minlength=len(sides))
        lined = ~((n_within >= 3) & (n_stands < MAX_SHARE_RIMLESS * n_within))
    within &= lined[side]
    n_rim = int(np.count_nonzero(stands & within))
    n_edge = np.count_nonzero(roof.on_edge[rows, cols] & lined[side])
    if n_rim < max(6, MIN_SHARE * within.sum(), MIN_LINED * n_edge) or n_wrong > MAX_WRONG * n_rim:
        return None
    cells = np.zeros(band.shape, dtype=bool)
    in_rim = stands & (depth_m < width_m + 0.75 * roof.cell_size_m)
    cells[rows[in_rim], cols[in_rim]] = True
    height_m = float(roof.rise_m[cells].max())
    if height_m < min_height_m:
        return None
    first = int(np.argmax(in_rim))
    ring = _ring(roof, plane, width_m, sides[~lined], outlines)
    if ring is None:
        return None
    standing = Standing(cells, plane, "parapet", height_m, (int(rows[first]), int(cols[first])))
    standing.polygons = ring
    return standing


def _nearest_side(x_m, y_m, sides) -> tuple[np.ndarray, np.ndarray]:
    """Nearest side of each point and the distance from it [m]."""
    start, along = sides[:, 0], sides[:, 1] - sides[:, 0]
    length2 = np.maximum((along**2).sum(axis=1), 1e-12)
    dx, dy = x_m[:, None] - start[:, 0], y_m[:, None] - start[:, 1]
    share = np.clip((dx * along[:, 0] + dy * along[:, 1]) / length2, 0.0, 1.0)
    distance = np.hypot(dx - share * along[:, 0], dy - share * along[:, 1])
    side = distance.argmin(axis=1)
    return side, distance[np.arange(len(side)), side]


def _width(depth_m: np.ndarray, stands: np.ndarray) -> tuple[float, int]:
    """Depth that separates standing cells from the others best, and how many it gets wrong. [m]"""
    order = np.argsort(depth_m, kind="stable")
    depth_m, stands = depth_m[order], stands[order]
    wrong = stands.sum() - np.cumsum(np.where(stands, 1, -1))
    ahead = np.append(depth_m[1:], depth_m[-1] + 0.1) if len(depth_m) else depth_m
    usable = (ahead - depth_m > 1e-6) & (depth_m < MAX_WIDTH_M)
    if not usable.any():
        return 0.0, len(depth_m)
    least = wrong[usable].min()
    best = np.flatnonzero(usable & (wrong == least))
    return float(0.5 * (depth_m[best[0]] + ahead[best[-1]])), int(least)


def _ring(roof: RoofHeights, plane: int, width_m: float, rimless, outlines):
    """The rim as polygons in the coordinates of the grid, without the sides that have none."""
    inner = roof.outline.buffer(-width_m, join_style="mitre")
    ring = shapely.difference(roof.outline, inner)
    if len(rimless):
        strips = shapely.buffer(shapely.linestrings(rimless), width_m + 1e-3, cap_style="flat")
        ring = shapely.difference(ring, shapely.union_all(strips))
    ring = moved(ring, roof.origin_m)
    if len(outlines) > 1:
        own = shapely.buffer(outlines[plane - 1], width_m + roof.cell_size_m)
        others = [o for k, o in enumerate(outlines) if k != plane - 1]
        others = shapely.union_all(others, grid_size=SNAP_M)
        ring = shapely.intersection(ring, own, grid_size=SNAP_M)
        ring = shapely.difference(ring, others, grid_size=SNAP_M)
    pieces = [piece for piece in polygons_of(ring) if piece.area > CRUMB_M2]
    return pieces or None
