"""Outlines of roof planes: straight borders, shared by neighbours, clipped to the footprint."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.kernels.outline_trace import straighten_arcs, trace_arcs
from solarkataster.kernels.plane_labels import connected_parts

#: Parts of no plane smaller than this are drawn as part of the plane around them. [m²]
MIN_HOLE_AREA_M2 = 1.0

#: Largest distance between an outline and the middle of its stair of cells; noise frays a shallow
#: ridge by about one cell. Should an outline cross another, the next value is tried; 0 = stairs.
#: [cells]
TOLERANCES = (0.9, 0.5, 0.0)

#: Cells around the footprint that the nearest plane is drawn over before clipping: more than
#: straightening moves a border (one for a bend, one for a node).
MARGIN = 3

#: Region of the cells around everything.
FRAME = -1


def plane_outlines(
    labels: np.ndarray,
    footprint: shapely.Polygon | shapely.MultiPolygon,
    grid: Grid,
    *,
    min_hole_area_m2: float = MIN_HOLE_AREA_M2,
) -> list[shapely.Polygon | shapely.MultiPolygon]:
    """
    Outline of every roof plane of a building.

    Parameters
    ----------
    labels : ndarray of int, shape (ny, nx)
        0 for no plane, 1..n for planes, as in :class:`solarkataster.roofs.RoofPlanes`.
    footprint : Polygon or MultiPolygon
        Valid outline of the building in the coordinates of the grid. [m]
    grid : Grid
        Place of ``labels``.
    min_hole_area_m2 : float
        Smaller parts without a plane are drawn as part of the plane around them. [m²]

    Returns
    -------
    outlines : list of Polygon or MultiPolygon, length n
        Outline of plane 1, 2, ... Together with the larger parts that belong to no plane they cover
        the footprint (as far as it lies on the grid) without gap or overlap; neighbours share their
        edges. A plane of which nothing lies in the footprint is empty.

    Raises
    ------
    InputError
        If the footprint is empty, invalid or no polygon, or the shapes differ.

    Notes
    -----
    Labels are continued outwards over the footprint's edge, the borders between them traced once
    for both sides and straightened, and the result is clipped with the exact footprint.
    """
    labels = np.asarray(labels, dtype=np.int32)
    _check(labels, footprint, grid)
    n_planes = int(labels.max(initial=0))
    if n_planes == 0:
        return []
    regions, inside, west_m, north_m = _regions(labels, footprint, grid, min_hole_area_m2)
    corners, starts, sides, within = trace_arcs(regions, inside)
    for tolerance in TOLERANCES:
        if tolerance > 0.0:
            points, point_starts = straighten_arcs(corners, starts, within, tolerance)
        else:
            points, point_starts = corners.astype(np.float64), starts
        arcs = np.empty_like(points)
        arcs[:, 0] = west_m + points[:, 1] * grid.cell_size_m
        arcs[:, 1] = north_m - points[:, 0] * grid.cell_size_m
        areas = _areas(arcs, point_starts, sides, corners, starts)
        # If every region is a valid polygon, they cover the frame exactly once: each arc is used
        # forwards by one and backwards by the other, so that winding numbers add up to one.
        if shapely.is_valid(np.array(list(areas.values()))).all():
            break
    empty = shapely.Polygon()
    drawn = np.array([areas.get(label, empty) for label in range(1, n_planes + 1)])
    return [_polygonal(part) for part in shapely.intersection(drawn, footprint)]


def _check(labels, footprint, grid) -> None:
    if labels.shape != grid.shape:
        raise InputError(
            f"labels have shape {labels.shape}, the grid has {grid.shape}", expected="equal shapes"
        )
    if not isinstance(footprint, shapely.Polygon | shapely.MultiPolygon) or footprint.is_empty:
        raise InputError(
            f"the footprint is {'an empty' if footprint.is_empty else 'a'} {footprint.geom_type}",
            expected="a Polygon or MultiPolygon",
        )
    if not footprint.is_valid:
        raise InputError(
            f"the footprint is invalid ({shapely.is_valid_reason(footprint)})",
            remedy="repair it first, for example with shapely.make_valid",
        )


def _regions(labels, footprint, grid, min_hole_area_m2):
    """
    Region of every cell of the building's box and a margin, cells inside, and the upper left.

    The box follows from the footprint and the grid's lattice alone, and its corner is rounded to
    micrometres, so that the window the labels come in changes no bit of an outline.
    """
    size_m = grid.cell_size_m
    box = grid.crop(footprint.bounds)
    row0, col0 = grid.offset_of(box)
    ny, nx = box.shape
    inner = labels[row0 : row0 + ny, col0 : col0 + nx]
    x = box.west_m + (np.arange(nx) + 0.5) * size_m
    y = box.north_m - (np.arange(ny) + 0.5) * size_m
    shapely.prepare(footprint)
    inside = shapely.contains_xy(footprint, x[None, :], y[:, None]) | (inner > 0)
    inner = np.where(inside, inner, -1)
    inner = _fill_small_holes(inner, min_hole_area_m2 / size_m**2)
    regions = np.pad(_nearest(np.pad(inner, MARGIN, constant_values=-1)), 1, constant_values=FRAME)
    west_m = round(box.west_m - (MARGIN + 1) * size_m, 6)
    north_m = round(box.north_m + (MARGIN + 1) * size_m, 6)
    return regions, np.pad(inside, MARGIN + 1), west_m, north_m


def _fill_small_holes(inner, min_cells):
    padded = np.pad(inner, 1, constant_values=-1)
    unassigned = np.where(padded == 0, 0, -1).astype(np.int32).ravel()
    parts = np.empty(unassigned.size, np.int32)
    sizes = connected_parts(unassigned, padded.shape[1], parts)
    small = (sizes < min_cells) & (np.arange(sizes.size) > 0)
    hole = small[parts].reshape(padded.shape)[1:-1, 1:-1]
    if not hole.any():
        return inner
    filled = _nearest(np.where(hole | (inner < 0), -1, inner))
    return np.where(hole, filled, inner)


def _nearest(regions):
    """Continue regions over the cells with −1 from the nearest cell that has one."""
    missing = regions < 0
    if not missing.any():
        return regions
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return regions[tuple(nearest)]


def _areas(arcs, point_starts, sides, corners, starts) -> dict[int, shapely.Geometry]:
    """Put the arcs together to one area per region, the frame left out."""
    pieces = [arcs[i:j] for i, j in pairwise(point_starts)]
    first = [tuple(corner) for corner in corners[starts[:-1]].tolist()]
    last = [tuple(corner) for corner in corners[starts[1:] - 1].tolist()]
    leaving: dict[int, dict] = defaultdict(lambda: defaultdict(list))
    for arc, (left, right) in enumerate(sides.tolist()):
        leaving[left][first[arc]].append((pieces[arc], last[arc]))
        leaving[right][last[arc]].append((pieces[arc][::-1], first[arc]))
    return {
        region: _area(_rings(nodes)) for region, nodes in sorted(leaving.items()) if region != FRAME
    }


def _rings(leaving) -> list[np.ndarray]:
    """
    Closed rings from the arcs that have one region on their left.

    A ring that comes back to a node is cut there, so that no ring touches itself.
    """
    rings = []
    for start in leaving:
        path: list[tuple[tuple, np.ndarray]] = []
        node = start
        while leaving[node]:
            piece, following = leaving[node].pop()
            path.append((node, piece))
            node = following
            cut = next((k for k, (seen, _) in enumerate(path) if seen == node), None)
            if cut is not None:
                ring = [part[:-1] for _, part in path[cut:]]
                rings.append(np.concatenate([*ring, path[cut][1][:1]]))
                del path[cut:]
    return rings


def _area(rings) -> shapely.Geometry:
    """Area of rings: counter-clockwise ones are shells, clockwise ones holes."""
    shells = [ring for ring in rings if _signed_area(ring) > 0.0]
    holes = [ring for ring in rings if _signed_area(ring) <= 0.0]
    if len(shells) == 1:
        return shapely.Polygon(shells[0], holes)
    lines = shapely.multilinestrings([shapely.linestrings(ring) for ring in rings])
    return shapely.build_area(lines)


def _signed_area(ring) -> float:
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))


def _polygonal(geometry) -> shapely.Polygon | shapely.MultiPolygon:
    """The area of a clip result: touching points and lines are dropped."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"]
    parts += [
        q for p in shapely.get_parts(geometry) if p.geom_type == "MultiPolygon" for q in p.geoms
    ]
    if len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts) if parts else shapely.Polygon()
