"""Outlines of roof planes: straight borders, shared by neighbours, clipped to the footprint."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import shapely

from solarkataster.errors import InputError, KatasterError
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.kernels.outline_straighten import straighten_arcs
from solarkataster.kernels.outline_trace import trace_arcs
from solarkataster.kernels.plane_labels import connected_parts, extend_labels

#: Parts of no plane smaller than this are drawn as part of the plane around them. [m²]
MIN_HOLE_AREA_M2 = 1.0

#: Largest distance between an outline and the middle of its stair of cells, and whether its ends go
#: straight on over the footprint's edge; noise frays a shallow ridge by about one cell. Where
#: outlines cross, the next values are tried; 0 = stairs. [cells]
TOLERANCES = np.array([0.9, 0.9, 0.5, 0.0])
STRAIGHT_ENDS = np.array([True, False, False, False])

#: Cells around the footprint that the nearest plane is drawn over before clipping: more than
#: straightening moves a border (one for a bend, one for a node).
MARGIN = 3

#: Any invalid area: for a region that straightening left without one or turned inside out.
INVALID = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])

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
    KatasterError
        If borders cross even along the cells: not known to happen, but no reason to go on.

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
    box = grid.crop(footprint.bounds)
    row, col = grid.offset_of(box)
    labels = labels[row : row + box.shape[0], col : col + box.shape[1]]
    empty = shapely.Polygon()
    if not labels.any():
        return [empty] * n_planes
    regions, inside = _regions(labels, footprint, box, min_hole_area_m2)
    areas = _straight_areas(regions, inside, box)
    drawn = np.array([areas.get(label, empty) for label in range(1, n_planes + 1)])
    on_grid = shapely.box(*box.bounds)
    if not shapely.covers(on_grid, footprint):
        footprint = shapely.intersection(footprint, on_grid)
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


def _regions(labels, footprint, box, min_hole_area_m2):
    """
    Region of every cell of the building's box and a margin with frame, and which cells are inside.

    Cells outside the footprint continue the nearest region.
    """
    inside = cells_inside(footprint, box) | (labels > 0)
    inner = _fill_small_holes(np.where(inside, labels, -1), min_hole_area_m2 / box.cell_size_m**2)
    regions = np.pad(inner, MARGIN, constant_values=-1)
    extend_labels(regions)
    regions = np.pad(regions, 1, constant_values=FRAME)
    # Every part without a plane is a region of its own: trouble with one is no trouble for all.
    parts = np.empty(regions.size, np.int32)
    connected_parts(np.where(regions == 0, 0, -1).ravel(), regions.shape[1], parts)
    regions = np.where(regions == 0, labels.max() + parts.reshape(regions.shape), regions)
    return regions, np.pad(inside, MARGIN + 1)


def _fill_small_holes(inner, min_cells):
    padded = np.pad(inner, 1, constant_values=-1)
    unassigned = np.where(padded == 0, 0, -1).astype(np.int32).ravel()
    parts = np.empty(unassigned.size, np.int32)
    sizes = connected_parts(unassigned, padded.shape[1], parts)
    small = (sizes < min_cells) & (np.arange(sizes.size) > 0)
    hole = small[parts].reshape(padded.shape)[1:-1, 1:-1]
    if not hole.any():
        return inner
    filled = np.where(hole, np.int32(-1), inner)
    extend_labels(filled)
    return np.where(hole, filled, inner)


def _straight_areas(regions, inside, box) -> dict[int, shapely.Geometry]:
    """
    Area of every region but the frame, borders straightened as far as they do not cross.

    If every region is a valid polygon, they cover the frame exactly once: each arc is used forwards
    by one and backwards by another, so that winding numbers add up to one everywhere. Arcs beside
    an invalid one are straightened less until all are valid, at the latest as stairs.

    Raises
    ------
    KatasterError
        If a region is invalid although all its arcs are stairs.
    """
    corners, starts, sides, within = trace_arcs(regions, inside)
    # Rounded to micrometres, so that the window a building comes in changes no bit of its outline.
    west_m = round(box.west_m - (MARGIN + 1) * box.cell_size_m, 6)
    north_m = round(box.north_m + (MARGIN + 1) * box.cell_size_m, 6)
    joints = _Joints(corners, starts, sides)
    level = np.zeros(len(sides), dtype=np.int64)
    while True:
        points, point_starts = straighten_arcs(
            corners, starts, within, TOLERANCES[level], STRAIGHT_ENDS[level]
        )
        xy = np.empty_like(points)
        xy[:, 0] = west_m + points[:, 1] * box.cell_size_m
        xy[:, 1] = north_m - points[:, 0] * box.cell_size_m
        areas = {
            region: _area(rings) for region, rings in joints.rings(xy, point_starts) if region >= 0
        }
        found = np.array(list(areas.values()))
        wrong = np.array(list(areas))[~shapely.is_valid(found)]
        if wrong.size == 0:
            return areas
        beside = np.isin(sides, wrong).any(axis=1)
        before = level.copy()
        level[beside] = np.minimum(level[beside] + 1, len(TOLERANCES) - 1)
        if np.array_equal(level, before):
            raise KatasterError(
                f"outlines cross even as stairs of cells ({wrong.size} of {len(areas)} regions)"
            )


class _Joints:
    """Which arc follows which around each region; the same however straight the arcs are."""

    def __init__(self, corners, starts, sides):
        self.loops: list[tuple[int, list[tuple[int, bool]]]] = []
        leaving: dict[int, dict] = defaultdict(lambda: defaultdict(list))
        for arc, ((left, right), (i, j)) in enumerate(
            zip(sides.tolist(), pairwise(starts.tolist()), strict=True)
        ):
            first, second = corners[i].tolist(), corners[i + 1].tolist()
            before, last = corners[j - 2].tolist(), corners[j - 1].tolist()
            ahead = (arc, True, tuple(last), _left_cell(first, second), _left_cell(before, last))
            back = (arc, False, tuple(first), _left_cell(last, before), _left_cell(second, first))
            leaving[left][tuple(first)].append(ahead)
            leaving[right][tuple(last)].append(back)
        for region in sorted(leaving):
            self._close(region, leaving[region])

    def _close(self, region, leaving) -> None:
        """
        Join the arcs that have the region on their left to loops.

        Where a region meets itself over a corner, the loop goes on along the same cell, so that
        pieces that only touch are separate; a loop that comes back to a node is cut there, so that
        none touches itself.
        """
        for start in leaving:
            path: list[tuple] = []
            node, cell = start, None
            while leaving[node]:
                options = leaving[node]
                k = next((k for k, option in enumerate(options) if option[3] == cell), 0)
                arc, forwards, following, _, cell = options.pop(k)
                path.append((node, arc, forwards))
                node = following
                cut = next((k for k, step in enumerate(path) if step[0] == node), None)
                if cut is not None:
                    self.loops.append((region, [step[1:] for step in path[cut:]]))
                    del path[cut:]

    def rings(self, xy, point_starts) -> list[tuple[int, list[np.ndarray]]]:
        """Coordinates of the closed rings of every region."""
        pieces = [xy[i:j] for i, j in pairwise(point_starts.tolist())]
        rings = defaultdict(list)
        for region, loop in self.loops:
            steps = [pieces[arc] if forwards else pieces[arc][::-1] for arc, forwards in loop]
            rings[region].append(np.concatenate([*(step[:-1] for step in steps), steps[0][:1]]))
        return list(rings.items())


def _left_cell(start, end) -> tuple[int, int]:
    """Cell on the left of a unit edge between two corners (row, col)."""
    (row, col), (end_row, end_col) = start, end
    if end_row == row:
        return (row - 1, col) if end_col > col else (row, col - 1)
    return (row, col) if end_row > row else (row - 1, col - 1)


def _area(rings) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Area of rings: counter-clockwise ones are shells, clockwise ones holes.

    A hole belongs to the smallest shell around a point beside it, on its outer side: only such a
    point cannot lie in a piece of the region inside the hole.
    """
    shells = [ring for ring in rings if _signed_area(ring) > 0.0]
    holes = [ring for ring in rings if _signed_area(ring) <= 0.0]
    if not shells or min(map(len, rings)) < 4:
        return INVALID
    if len(shells) == 1:
        return shapely.Polygon(shells[0], holes)
    pieces = shapely.polygons([shapely.linearrings(shell) for shell in shells])
    holes_of: list[list] = [[] for _ in shells]
    if holes:
        begin, end = (np.array([hole[k] for hole in holes]) for k in (0, 1))
        left = np.stack([begin[:, 1] - end[:, 1], end[:, 0] - begin[:, 0]], axis=1)
        beside = shapely.points(0.5 * (begin + end) + 1e-3 * left)
        area = shapely.area(pieces)
        smallest: dict[int, int] = {}
        for hole, piece in shapely.STRtree(pieces).query(beside, predicate="within").T.tolist():
            if hole not in smallest or area[piece] < area[smallest[hole]]:
                smallest[hole] = piece
        for hole, piece in sorted(smallest.items()):
            holes_of[piece].append(holes[hole])
        if len(smallest) < len(holes):
            return INVALID
    return shapely.MultiPolygon(list(zip(shells, holes_of, strict=True)))


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
