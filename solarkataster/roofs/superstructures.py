"""What stands out of a roof plane or is sunk into it: chimneys, dormers, terraces and the like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.roofs.heights import BESIDE_M, RoofHeights
from solarkataster.roofs.parapets import parapet_of
from solarkataster.roofs.planes import RoofPlanes
from solarkataster.roofs.relations import SLOPE_TILT_DEG, Relation, plane_relations
from solarkataster.roofs.shapes import (
    SNAP_M,
    Standing,
    described,
    polygons_of,
    shape_parts,
)

KINDS = ("chimney", "dormer", "lift housing", "terrace", "parapet", "other")

#: A part is followed down to where it is lost in the noise of its plane: so many times the residual
#: of the plane, but never less than this. [–, m]
LOW_IN_NOISE, LOW_M = 3.5, 0.12

#: A cell can start a part from this many times the residual on: of 100 buildings with 1000 cells
#: each, noise alone lifts none so far. [–]
HIGH_IN_NOISE = 5.0

#: The residual of a plane counts within these bounds: below is what heights are rounded to. [m]
NOISE_RANGE_M = (0.03, 0.12)

#: Outlines lie on the roof's but for rounding. [m]
ON_OUTLINE_M = 0.01

#: Less than this in plan is a spike in the heights, not a part of the roof. [m²]
MIN_AREA_M2 = 0.1

#: A terrace is at least this large, lies so deep under its slope, and its floor is this level: what
#: laser light finds through roof windows and between the waves of corrugated sheets is none.
#: [m², m, m]
MIN_TERRACE_AREA_M2, TERRACE_DEPTH_M, FLOOR_SPREAD_M = 1.5, (0.8, 4.0), 0.15

#: A part of which more than this is the foot of a wall is nothing but that; a part up to this size
#: keeps the feet it has: a chimney beside a wall. [–, m²]
MAX_FOOT_SHARE, WITH_FEET_M2 = 0.8, 4.0

_AROUND = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, eq=False)
class Superstructures:
    """
    Superstructures of one building, northernmost (then westernmost) first.

    Attributes
    ----------
    polygon : ndarray of shapely Polygon, shape (n,)
        Outline in plan, within the roof's outline, in the coordinates of the grid. It may reach
        over a ridge: what lies on a neighbouring plane is lost to that plane as well. [m]
    plane : ndarray of int32, shape (n,)
        Plane it stands on, 1..n_plane.
    kind : tuple of str, length n
        One of ``KINDS``; a guess from size, height and roughness.
    height_m : ndarray, shape (n,)
        Highest point over the plane; of a terrace the lowest, negative. [m]
    own : tuple of tuple of int, length n
        Planes that are the roof of the superstructure (or the floor of the terrace) itself; mostly
        none.
    """

    polygon: np.ndarray
    plane: np.ndarray
    kind: tuple[str, ...]
    height_m: np.ndarray
    own: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.kind)

    def on_plane(self, plane: int) -> np.ndarray:
        """
        Polygons that take area from a plane: all but those the plane itself is the roof of.

        Parameters
        ----------
        plane : int
            1..n_plane.

        Returns
        -------
        polygon : ndarray of shapely Polygon
            Of the whole roof; most do not touch the plane. [m]
        """
        return self.polygon[[plane not in own for own in self.own]]


def find_superstructures(
    planes: RoofPlanes,
    labels: np.ndarray,
    elevation_m: np.ndarray,
    outlines: Sequence[shapely.Polygon | shapely.MultiPolygon],
    roof_outline: shapely.Polygon | shapely.MultiPolygon,
    grid: Grid,
    *,
    min_height_m: float = 0.3,
    offset_east_m: np.ndarray | None = None,
    offset_north_m: np.ndarray | None = None,
) -> Superstructures:
    """
    Find what stands out of the planes of one roof or is sunk into them.

    Parameters
    ----------
    planes : RoofPlanes
        Planes of the roof, found on the same window.
    labels : ndarray of int, shape (ny, nx)
        Plane of every cell, 0 for none; may reach beyond the footprint (eaves).
    elevation_m : ndarray, shape (ny, nx)
        Heights; NaN for none. [m]
    outlines : sequence of Polygon or MultiPolygon, length n_plane
        Outlines of the planes.
    roof_outline : Polygon or MultiPolygon
        Outline of the roof, eaves included.
    grid : Grid
        Place of the window.
    min_height_m : float
        What stands out less than this (roof windows, tiles of a ridge) is none. [m]
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), optional
        Where in its cell a height was measured, off the centre; None: at the centres. [m]

    Returns
    -------
    superstructures : Superstructures

    Raises
    ------
    InputError
        If shapes or lengths differ or ``min_height_m`` is not positive.

    Notes
    -----
    Planes that stand out of the plane around them, or are a level floor sunk into it, are
    superstructures with their own outlines. Every other plane is continued beneath them and beneath
    the cells that belong to none; connected cells that rise above it are followed down into the
    noise, which makes one part of what one cell alone would show in pieces. Its outline is the
    rectangle along the level line of the plane or along the walls that separates its cells best
    from those around; what no rectangle fits (crowns) is traced. A rim along the outline of a level
    roof is a parapet, as wide as the distance from the outline that separates its cells best.
    Strips at the foot of a higher wall are none: their cells see part of the wall.
    """
    labels = np.asarray(labels, dtype=np.int32)
    elevation_m = np.asarray(elevation_m)
    _check(planes, labels, elevation_m, outlines, grid, min_height_m)
    if len(planes) == 0 or not labels.any() or roof_outline.is_empty:
        return _as_result([])
    relation = plane_relations(planes, labels)
    roof = RoofHeights.cut(
        planes, labels, elevation_m, roof_outline, grid, relation, offset_east_m, offset_north_m
    )
    noise_m = np.clip(planes.rmse_m, *NOISE_RANGE_M)[np.maximum(roof.host, 1) - 1]
    low_m = np.minimum(np.maximum(LOW_M, LOW_IN_NOISE * noise_m), min_height_m)
    high_m = np.maximum(min_height_m, HIGH_IN_NOISE * noise_m)
    raised = roof.inside & (roof.rise_m > low_m)
    found = []
    in_rim = np.zeros(raised.shape, dtype=bool)
    for plane in relation.main:
        rim = parapet_of(roof, plane, raised, outlines, min_height_m)
        if rim is not None:
            found.append(rim)
            in_rim |= rim.cells
    stands = raised & ~in_rim & (roof.group == 0)
    started = stands & roof.measured & (roof.rise_m > high_m)
    parts = _parts(stands, started, roof, relation, MIN_AREA_M2)
    parts = [cells for cells in parts if not _is_edge_strip(cells, roof)]
    found += _standing_groups(parts, roof, relation, outlines, min_height_m)
    found += [described(cells, roof) for cells in parts]
    sunk = roof.inside & (roof.rise_m < -min_height_m) & (roof.group == 0)
    parts = _parts(sunk, sunk & roof.measured, roof, relation, MIN_TERRACE_AREA_M2)
    found += [described(cells, roof, "terrace") for cells in parts if _is_terrace(cells, roof)]
    shape_parts(found, roof)
    return _on_roof(
        _as_result(sorted(found, key=lambda standing: standing.first_cell)), roof_outline
    )


def _on_roof(found: Superstructures, roof_outline: shapely.Geometry) -> Superstructures:
    """Cut off what lies beyond the roof, where heights end or a rim was continued too far."""
    is_on = shapely.covers(shapely.buffer(roof_outline, ON_OUTLINE_M), found.polygon)
    if is_on.all():
        return found
    polygon = found.polygon.copy()
    for k in np.flatnonzero(~is_on):
        parts = polygons_of(shapely.intersection(polygon[k], roof_outline))
        polygon[k] = max(parts, key=lambda part: part.area, default=shapely.Polygon())
    kept = np.flatnonzero(shapely.area(polygon) >= MIN_AREA_M2).tolist()
    return Superstructures(
        polygon[kept],
        found.plane[kept],
        tuple(found.kind[k] for k in kept),
        found.height_m[kept],
        tuple(found.own[k] for k in kept),
    )


def plane_kinds(
    planes: RoofPlanes,
    labels: np.ndarray,
    outlines: Sequence[shapely.Polygon | shapely.MultiPolygon],
    grid: Grid,
) -> tuple[str, ...]:
    """
    Whether a plane is part of the roof proper or stands out of another one.

    Parameters
    ----------
    planes, labels, outlines, grid
        As in :func:`find_superstructures`.

    Returns
    -------
    kinds : tuple of str, length n_plane
        ``"dormer"`` for a plane that stands out of another one (on a level roof that is a lift
        housing), else ``"roof"``.
    """
    labels = np.asarray(labels, dtype=np.int32)
    _check(planes, labels, labels, outlines, grid, 1.0)
    if len(planes) == 0 or not labels.any():
        return ("roof",) * len(planes)
    relation = plane_relations(planes, labels)
    return tuple("dormer" if above else "roof" for above in relation.stands_out[1:])


def _check(planes, labels, elevation_m, outlines, grid, min_height_m) -> None:
    if not labels.shape == elevation_m.shape == grid.shape:
        raise InputError(
            f"labels have shape {labels.shape}, elevation_m {elevation_m.shape}, "
            f"the grid {grid.shape}",
            expected="equal shapes",
        )
    if len(outlines) != len(planes) or labels.max(initial=0) > len(planes):
        raise InputError(
            f"{len(planes)} planes, {len(outlines)} outlines, labels up to {labels.max(initial=0)}",
            expected="an outline of every plane, and no label beyond the last plane",
        )
    if not min_height_m > 0:
        raise InputError(f"min_height_m = {min_height_m}", expected="a number above 0")


def _as_result(found: list[Standing]) -> Superstructures:
    rows = [
        (polygon, standing.plane, standing.kind, standing.height_m, standing.own)
        for standing in found
        for polygon in standing.polygons
    ]
    polygon = np.empty(len(rows), dtype=object)
    polygon[:] = [row[0] for row in rows]
    return Superstructures(
        polygon,
        np.array([row[1] for row in rows], dtype=np.int32),
        tuple(row[2] for row in rows),
        np.array([row[3] for row in rows], dtype=np.float64),
        tuple(row[4] for row in rows),
    )


def _parts(
    stands, started, roof: RoofHeights, relation: Relation, min_area_m2: float
) -> list[np.ndarray]:
    """
    Connected parts (over corners too) that a cell has started and that are large enough.

    They end at walls: what stands on one storey is not one with what stands on another. The feet of
    walls are no parts, and join none: else all crowns, machines and rims of a roof would be one.
    """
    parts = []
    feet = roof.wall_feet(relation)
    storey = relation.storey[roof.host]
    cell_m2 = roof.cell_size_m**2
    for number in np.unique(storey[started]).tolist():
        part, n_parts = ndimage.label(stands & (storey == number), _AROUND)
        if (part[feet] > 0).any():
            is_large = np.bincount(part.ravel(), minlength=n_parts + 1) * cell_m2 > WITH_FEET_M2
            part, n_parts = ndimage.label((part > 0) & ~(feet & is_large[part]), _AROUND)
        n_cells = np.bincount(part.ravel(), minlength=n_parts + 1)
        begins = np.bincount(part[started], minlength=n_parts + 1) > 0
        begins &= n_cells * cell_m2 >= min_area_m2 - 1e-9
        begins &= np.bincount(part[feet], minlength=n_parts + 1) <= MAX_FOOT_SHARE * n_cells
        begins[0] = False
        parts += [part == k for k in np.flatnonzero(begins)]
    return parts


def _is_edge_strip(cells: np.ndarray, roof: RoofHeights) -> bool:
    """
    Whether a part is one cell wide along the roof's outline.

    The neighbour's wall makes such strips, or a footprint that is off by a little.
    """
    rows, cols = np.nonzero(cells)
    extent = max(np.ptp(rows), np.ptp(cols)) + 1
    on_edge = roof.on_edge[rows, cols].mean() > 0.8
    return bool(extent >= 3 and rows.size <= 2 * extent and on_edge)


def _standing_groups(
    parts: list[np.ndarray], roof: RoofHeights, relation: Relation, outlines, min_height_m: float
) -> list[Standing]:
    """
    Superstructures whose roofs are planes of their own; takes the parts that belong to them.

    A part beside a dormer that is no higher than the dormer's planes there is the rest of it (the
    half whose plane was not found, cells between roof and wall).
    """
    groups = []
    for number in range(1, relation.n_groups + 1):
        members = np.flatnonzero(relation.group == number)
        cells = roof.group == number
        if not cells.any():
            continue
        beside = ndimage.binary_dilation(cells)
        rest = []
        for k in range(len(parts) - 1, -1, -1):
            touching = parts[k] & beside
            if not touching.any():
                continue
            roofs_m = np.max([roof.plane_m(label)[parts[k]] for label in members], axis=0)
            if (roof.z_m[parts[k]] - roofs_m)[roof.measured[parts[k]]].max() <= BESIDE_M:
                rest.append(parts.pop(k))
        outline = outlines[members[0] - 1]
        if len(members) > 1:
            own = [outlines[label - 1] for label in members]
            outline = shapely.union_all(own, grid_size=SNAP_M)
        sunk = bool(relation.is_sunk[members[0]])
        standing = described(cells, roof, "terrace" if sunk else "group")
        if abs(standing.height_m) < max(min_height_m, TERRACE_DEPTH_M[0] if sunk else 0.0):
            continue
        standing.outline, standing.own = outline, tuple(members.tolist())
        added = sum(int(part.sum()) for part in rest)
        if rest and added > 0.2 * int(cells.sum()):
            standing.rest = np.any(rest, axis=0)
        groups.append(standing)
    return groups


def _is_terrace(cells: np.ndarray, roof: RoofHeights) -> bool:
    """Whether sunk cells are a level floor within a slope."""
    if roof.on_edge[cells].any():
        return False
    known = cells & roof.measured
    z_m, depth_m = roof.z_m[known], -float(roof.rise_m[known].min())
    host = int(np.bincount(roof.host[known]).argmax())
    if not SLOPE_TILT_DEG[0] <= roof.planes.surface_tilt[host - 1] <= SLOPE_TILT_DEG[1]:
        return False
    if not TERRACE_DEPTH_M[0] <= depth_m <= TERRACE_DEPTH_M[1]:
        return False
    spread_m = float(np.median(np.abs(z_m - np.median(z_m))))
    return spread_m < FLOOR_SPREAD_M
