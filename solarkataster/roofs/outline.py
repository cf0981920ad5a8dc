"""The outline of a roof: the footprint and a strip beyond each side, as deep as its overhang."""

from __future__ import annotations

import numpy as np
import shapely

from solarkataster.roofs.sides import Sides

#: A mitre longer than this many times the deeper overhang is cut off: no roof ends in a needle.
MITRE_LIMIT = 3.0

#: Holes narrower than this that strips leave between each other are closed. [m]
MIN_GAP_M = 0.1

#: Vertices this near to a straight edge are none. [m]
STRAIGHT_M = 1e-4

#: Free stretches of a side shorter than this get no strip. [m]
MIN_STRETCH_M = 0.5


def roof_outline(
    footprint: shapely.Polygon | shapely.MultiPolygon,
    sides: Sides,
    depth_m: np.ndarray,
    taken_side: np.ndarray,
    taken_along_m: np.ndarray,
    taken_out_m: np.ndarray,
    cell_size_m: float,
) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Footprint plus overhangs.

    Parameters
    ----------
    footprint : Polygon or MultiPolygon
    sides : Sides
        Of the footprint.
    depth_m : ndarray, shape (n_side,)
        Overhang of each side, 0 for none. [m]
    taken_side : ndarray of int, shape (n_taken,)
        Sides beside which lie cells of other buildings; −2 − i beyond the corner at the end of i.
    taken_along_m, taken_out_m : ndarray, shape (n_taken,)
        Where along and how far from the side (or corner) these cells lie. [m]
    cell_size_m : float
        Size of the taken cells. [m]

    Returns
    -------
    outline : Polygon or MultiPolygon
        Valid. Strips meet in mitres at convex corners; where another building stands in the way,
        a strip is left out over its length.
    """
    deep = np.flatnonzero(depth_m > 0.0)
    if deep.size == 0:
        return footprint
    along, outwards, length_m = sides.along, sides.outwards, sides.length_m
    half_cell_m = 0.5 * cell_size_m * np.abs(along).sum(axis=1)
    pieces, reaches_start, reaches_end = [], set(), set()
    for i in deep.tolist():
        blocks = (taken_side == i) & (taken_out_m - half_cell_m[i] < depth_m[i])
        if not blocks.any():
            path = sides.paths[i]
            step = depth_m[i] * outwards[i]
            pieces.append(shapely.Polygon([*path, sides.end[i] + step, sides.start[i] + step]))
            reaches_start.add(i)
            reaches_end.add(i)
            continue
        for low_m, high_m in _free_stretches(taken_along_m[blocks], half_cell_m[i], length_m[i]):
            pieces.append(_rectangle(sides, i, low_m, high_m, depth_m[i]))
            if low_m == 0.0:
                reaches_start.add(i)
            if high_m == length_m[i]:
                reaches_end.add(i)
    for i in sorted(reaches_end):
        j = int(sides.following[i])
        if sides.is_convex[i] and j in reaches_start:
            corner = _mitre(sides.end[i], along[i], along[j], depth_m[i], depth_m[j])
            reach_m = np.hypot(*(corner - sides.end[i]).T).max()
            beyond = taken_out_m[taken_side == -2 - i]
            if not (beyond < reach_m + 0.71 * cell_size_m).any():
                pieces.append(shapely.Polygon(corner))
    outline = _without_gaps(shapely.union_all([footprint, *pieces]))
    return shapely.simplify(outline, STRAIGHT_M)  # strips end in points on straight edges


def _free_stretches(blocked_m, half_cell_m, length_m) -> list[tuple[float, float]]:
    """Stretches of a side, from and to in metres, with no blocked cell beside them."""
    low_m, stretches = 0.0, []
    for centre_m in np.sort(blocked_m):
        if centre_m - half_cell_m - low_m >= MIN_STRETCH_M:
            stretches.append((low_m, float(centre_m - half_cell_m)))
        low_m = max(low_m, float(centre_m + half_cell_m))
    if length_m - low_m >= MIN_STRETCH_M:
        stretches.append((low_m, float(length_m)))
    return stretches


def _rectangle(sides: Sides, i: int, low_m: float, high_m: float, depth_m: float):
    """Strip over a part of a side; it begins inside the wall so that bent walls leave no gap."""
    along, outwards = sides.along[i], sides.outwards[i]
    near, far = sides.start[i] - MIN_GAP_M * outwards, sides.start[i] + depth_m * outwards
    return shapely.Polygon(
        [near + low_m * along, near + high_m * along, far + high_m * along, far + low_m * along]
    )


def _mitre(corner, along_i, along_j, depth_i_m, depth_j_m) -> np.ndarray:
    """Piece between two strips at a convex corner: to where their edges meet, if that is near."""
    out_i = np.array([along_i[1], -along_i[0]])
    out_j = np.array([along_j[1], -along_j[0]])
    end_i, start_j = corner + depth_i_m * out_i, corner + depth_j_m * out_j
    sine = along_i[0] * along_j[1] - along_i[1] * along_j[0]
    cosine = along_i @ along_j
    # Along each edge beyond its strip's end, from the two edges' equations.
    beyond_i = (depth_j_m - depth_i_m * cosine) / sine if sine > 0.0 else -1.0
    beyond_j = (depth_i_m - depth_j_m * cosine) / sine if sine > 0.0 else -1.0
    longest = MITRE_LIMIT * max(depth_i_m, depth_j_m)
    if min(beyond_i, beyond_j) < 0.0 or max(beyond_i, beyond_j) > longest:
        return np.array([corner, end_i, start_j])
    return np.array([corner, end_i, end_i + beyond_i * along_i, start_j])


def _without_gaps(outline):
    """The outline without the slits that strips leave between each other."""
    polygons = []
    for polygon in shapely.get_parts(outline):
        holes = [
            ring
            for ring in polygon.interiors
            if not shapely.Polygon(ring).buffer(-0.5 * MIN_GAP_M).is_empty
        ]
        polygons.append(shapely.Polygon(polygon.exterior, holes))
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
