"""Outlines of roof planes: straight borders, shared by neighbours, clipped to the footprint."""

from __future__ import annotations

import math

import numpy as np
import shapely

from solarkataster.errors import InputError, KatasterError
from solarkataster.footprint_cells import cells_inside, check_footprint
from solarkataster.grid import Grid
from solarkataster.kernels.outline_fill import fill_holes, narrow_cells, open_bulges
from solarkataster.kernels.outline_nodes import leave_by_vertices, place_nodes
from solarkataster.kernels.outline_straighten import straighten_arcs
from solarkataster.kernels.outline_trace import trace_arcs
from solarkataster.kernels.plane_labels import connected_parts, extend_labels
from solarkataster.roofs.planes import RoofPlanes
from solarkataster.roofs.rings import Joints, area_of

#: Parts of no plane smaller than this are drawn as part of the plane around them. [m²]
MIN_HOLE_AREA_M2 = 1.0

#: What is narrower than this share of the side of a square of that area is filled whatever its
#: length: parapets, edges that noise frays.
NARROW_SHARE = 0.4

#: Parts of a plane beyond its ridge or valley up to this size are the other plane's. [m²]
MAX_BULGE_M2 = 3.0

#: Pieces smaller than this that clipping cuts off go to a neighbour. [m²]
SLIVER_M2 = 0.05

#: Largest distance between an outline and the middle of its stair of cells, whether its ends go
#: straight on over the footprint's edge, and whether it is put where planes meet; noise frays a
#: shallow ridge by about one cell. Where outlines cross, the next values are tried; 0 = stairs.
#: [cells]
TOLERANCES = np.array([0.9, 0.9, 0.9, 0.5, 0.0])
STRAIGHT_ENDS = np.array([True, True, False, False, False])
ON_MEETINGS = np.array([True, False, False, False, False])

#: Planes whose slopes differ by less have no sharp line in common: 3 cm of noise would move it by
#: more than half a metre. [–]
MIN_SLOPE_CHANGE = 0.05

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
    planes: RoofPlanes | None = None,
    min_hole_area_m2: float = MIN_HOLE_AREA_M2,
    open_cells: np.ndarray | None = None,
) -> list[shapely.Polygon | shapely.MultiPolygon]:
    """
    Outline of every roof plane of a building.

    Parameters
    ----------
    labels : ndarray of int, shape (ny, nx)
        0 for no plane, 1..n for planes, as in :class:`solarkataster.roofs.planes.RoofPlanes`.
    footprint : Polygon or MultiPolygon
        Valid outline of the building in the coordinates of the grid. [m]
    grid : Grid
        Place of ``labels``.
    planes : RoofPlanes, optional
        The planes 1..n, found on the same grid. With them, borders that run along the line in which
        two planes meet lie on that line, and planes that meet in one point do so here.
    min_hole_area_m2 : float
        Smaller parts without a plane are drawn as part of the plane around them. [m²]
    open_cells : ndarray of bool, shape (ny, nx), optional
        Cells without a plane over which none is drawn, however small the part.

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
    for both sides and straightened, and the result is clipped with the exact footprint. Ridges,
    hips and valleys are taken from the planes where the traced border is within 1.5 cells of their
    common line; steps in a roof stay where they were traced.
    """
    labels = np.asarray(labels, dtype=np.int32)
    _check(labels, footprint, grid, planes)
    n_planes = int(labels.max(initial=0)) if planes is None else len(planes)
    if n_planes == 0:
        return []
    box = grid.crop(footprint.bounds)
    row, col = grid.offset_of(box)
    part = np.s_[row : row + box.shape[0], col : col + box.shape[1]]
    labels, stays_open = labels[part], None if open_cells is None else open_cells[part]
    empty = shapely.Polygon()
    if not labels.any():
        return [empty] * n_planes
    regions, inside = _regions(
        labels, footprint, box, min_hole_area_m2, planes, (row, col), stays_open
    )
    first_corner = row - MARGIN - 1, col - MARGIN - 1
    areas = _straight_areas(regions, inside, footprint, box, planes, first_corner)
    drawn = np.array([areas.get(label, empty) for label in range(1, n_planes + 1)])
    on_grid = shapely.box(*box.bounds)
    if not shapely.covers(on_grid, footprint):
        footprint = shapely.intersection(footprint, on_grid)
    return _without_slivers([_polygonal(part) for part in shapely.intersection(drawn, footprint)])


def _check(labels, footprint, grid, planes) -> None:
    if labels.shape != grid.shape:
        raise InputError(
            f"labels have shape {labels.shape}, the grid has {grid.shape}", expected="equal shapes"
        )
    if planes is not None and len(planes) < labels.max(initial=0):
        raise InputError(
            f"labels go to {labels.max()}, planes has {len(planes)}", expected="the same planes"
        )
    check_footprint(footprint)


def _regions(labels, footprint, box, min_hole_area_m2, planes, first_cell, stays_open):
    """
    Region of every cell of the building's box and a margin with frame, and which cells are inside.

    Cells outside the footprint continue the nearest region.
    """
    inside = cells_inside(footprint, box) | (labels > 0)
    inner = np.where(inside, labels, np.int32(-1))
    equations = np.zeros((labels.max(), 3))
    if planes is not None:
        equations = _equations(planes, first_cell)
    inner = _fill_small_holes(inner, min_hole_area_m2, box.cell_size_m, equations, stays_open)
    regions = np.pad(inner, MARGIN, constant_values=-1)
    extend_labels(regions)
    regions = np.pad(regions, 1, constant_values=FRAME)
    # Every part without a plane is a region of its own: trouble with one is no trouble for all.
    parts = np.empty(regions.size, np.int32)
    connected_parts(np.where(regions == 0, 0, -1).ravel(), regions.shape[1], parts)
    regions = np.where(regions == 0, labels.max() + parts.reshape(regions.shape), regions)
    return regions, np.pad(inside, MARGIN + 1)


def _fill_small_holes(inner, min_area_m2, cell_m, equations, stays_open):
    """Small holes, and narrow parts of large ones, given to the planes around them."""
    labels = np.pad(inner, 1, constant_values=-1)
    flat, width = labels.ravel(), labels.shape[1]
    was_open = flat == 0
    over, n_beside = open_bulges(flat, width, equations, int(MAX_BULGE_M2 / cell_m**2))
    if not (flat == 0).any():
        return inner
    to_fill = narrow_cells(flat, width, int(NARROW_SHARE * math.sqrt(min_area_m2) / cell_m) + 1)
    to_fill |= (flat == 0) & ~was_open
    parts = np.empty(flat.size, np.int32)
    sizes = connected_parts(
        np.where((flat == 0) & ~to_fill, np.int32(0), np.int32(-1)), width, parts
    )
    to_fill |= ((sizes < min_area_m2 / cell_m**2) & (np.arange(sizes.size) > 0))[parts]
    if stays_open is not None:
        to_fill &= ~np.pad(stays_open, 1).ravel()
    if not to_fill.any():
        return inner
    sizes = connected_parts(np.where(to_fill, np.int32(0), np.int32(-1)), width, parts)
    fill_holes(flat, width, parts, sizes.size - 1, equations, over, n_beside)
    # What touches no plane stays open, or a building of its own in a yard would be roofed over.
    alone = (flat == 0) & (sizes < min(min_area_m2, MIN_HOLE_AREA_M2) / cell_m**2)[parts]
    alone = (alone & (parts > 0)).reshape(labels.shape)[1:-1, 1:-1]
    filled = labels[1:-1, 1:-1]
    if alone.any():
        extended = np.where(alone, np.int32(-1), filled)
        extend_labels(extended)
        filled = np.where(alone, extended, filled)
    return filled


def _straight_areas(
    regions, inside, footprint, box, planes, first_corner
) -> dict[int, shapely.Geometry]:
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
    outer = shapely.get_coordinates(footprint)
    vertices = np.stack([north_m - outer[:, 1], outer[:, 0] - west_m], axis=1) / box.cell_size_m
    joints = Joints(corners, starts, sides)
    meetings = np.full((len(sides), 4), np.nan)
    if planes is not None:
        meetings = _meeting_lines(sides, planes, first_corner)
    level = np.where(np.isnan(meetings[:, 0]), np.flatnonzero(~ON_MEETINGS)[0], 0)
    while True:
        points, point_starts, end_lines = straighten_arcs(
            corners, starts, within, TOLERANCES[level], STRAIGHT_ENDS[level],
            np.where(ON_MEETINGS[level, None], meetings, np.nan),
        )  # fmt: skip
        place_nodes(corners, starts, points, point_starts, end_lines)
        at_vertex = leave_by_vertices(points, point_starts, end_lines, vertices, box.cell_size_m)
        xy = np.empty_like(points)
        xy[:, 0] = west_m + points[:, 1] * box.cell_size_m
        xy[:, 1] = north_m - points[:, 0] * box.cell_size_m
        xy[at_vertex >= 0] = outer[at_vertex[at_vertex >= 0]]
        areas = {
            region: area_of(rings)
            for region, rings in joints.rings(xy, point_starts)
            if region >= 0
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


def _equations(planes: RoofPlanes, first_cell) -> np.ndarray:
    """Heights of the planes by row and column of labels with a border of one cell, (n_plane, 3)."""
    per_row = -planes.slope_north * planes.cell_size_m
    per_col = planes.slope_east * planes.cell_size_m
    row, col = (
        place - first + 1 for place, first in zip(planes.first_cell, first_cell, strict=True)
    )
    base_m = planes.elevation_at_first_cell_m - planes.elevation_at_first_cell_m[0]
    return np.stack([per_row, per_col, base_m - per_row * row - per_col * col], axis=1)


def _meeting_lines(sides, planes: RoofPlanes, first_corner) -> np.ndarray:
    """
    Line in which the planes beside each arc meet, in rows and columns from the first corner.

    Shape (n_arc, 4): a point and a unit vector; NaN where an arc is not between two planes, or
    where these are nearly parallel.
    """
    lines = np.full((len(sides), 4), np.nan)
    between = np.flatnonzero(((sides >= 1) & (sides <= len(planes))).all(axis=1))
    a, b = sides[between].T - 1
    # Height of one plane over the other at the centre of the first cell, and its change per cell.
    over_m = planes.elevation_at_first_cell_m[a] - planes.elevation_at_first_cell_m[b]
    per_row = -(planes.slope_north[a] - planes.slope_north[b])
    per_col = planes.slope_east[a] - planes.slope_east[b]
    change = np.hypot(per_row, per_col)
    sharp = change >= MIN_SLOPE_CHANGE
    over, per_row, per_col, change = (
        value[sharp] for value in (over_m / planes.cell_size_m, per_row, per_col, change)
    )
    row, col = (
        place + 0.5 - first for place, first in zip(planes.first_cell, first_corner, strict=True)
    )
    lines[between[sharp]] = np.stack(
        [
            row - over * per_row / change**2,
            col - over * per_col / change**2,
            -per_col / change,
            per_row / change,
        ],
        axis=1,
    )
    return lines


def _without_slivers(outlines):
    """Tiny pieces that clipping cut off, given to the outline they share the longest edge with."""
    for i, outline in enumerate(outlines):
        if outline.geom_type != "MultiPolygon":
            continue
        pieces = np.array(shapely.get_parts(outline))
        tiny = shapely.area(pieces) < SLIVER_M2
        if not tiny.any() or tiny.all():
            continue
        kept = pieces[~tiny].tolist()
        for piece in pieces[tiny].tolist():
            shared_m = [
                shapely.intersection(piece, other).length if k != i else 0.0
                for k, other in enumerate(outlines)
            ]
            host = int(np.argmax(shared_m))
            joined = shapely.union(outlines[host], piece) if shared_m[host] > 0.0 else None
            if joined is None or len(shapely.get_parts(joined)) > len(
                shapely.get_parts(outlines[host])
            ):
                kept.append(piece)
            else:
                outlines[host] = joined
        outlines[i] = kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)
    return outlines


def _polygonal(geometry) -> shapely.Polygon | shapely.MultiPolygon:
    """The area of a clip result: touching points and lines are dropped."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"]
    parts += [
        q for p in shapely.get_parts(geometry) if p.geom_type == "MultiPolygon" for q in p.geoms
    ]
    if len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts) if parts else shapely.Polygon()
