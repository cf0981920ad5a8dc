"""Where modules may lie on a roof plane: the plane less set-backs, obstacles and dark parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.errors import InputError

#: An edge of a plane this near to the roof's outline is a free one: outlines are cut from each
#: other with rounding only. [m]
ON_OUTLINE_M = 0.01

#: Free edges whose outward normal is within 45° of downhill are eaves, of uphill upper edges.
MOSTLY = math.cos(math.radians(45.0))

#: Smaller pieces of usable area are rounding. [m²]
SLIVER_M2 = 0.01

#: Corners of set-backs stay square up to here, as a multiple of the set-back.
MITRE = 1.5


@dataclass(frozen=True)
class Margins:
    """
    Distances that modules keep, measured along the roof.

    Parameters
    ----------
    eaves_m, ridge_m, verge_m : float
        From lower, upper and sloping free edges of pitched roofs; ``ridge_m`` also from every edge
        shared with another plane (ridge, hip, valley, step). [m]
    obstacle_m : float
        From what stands on the plane. [m]
    flat_edge_m : float
        From free edges of flat roofs. [m]

    Raises
    ------
    InputError
        If one is negative or no number.
    """

    eaves_m: float
    ridge_m: float
    verge_m: float
    obstacle_m: float
    flat_edge_m: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0.0 or not math.isfinite(value):
                raise InputError(f"{name} = {value:g} m", expected="0 m or more")


@dataclass(frozen=True)
class PlaneFrame:
    """
    Axes in an inclined plane: u along a direction given in plan, v up the slope at right angles.

    Parameters
    ----------
    origin : tuple of float
        Easting and northing of u = v = 0: whole metres near the plane, to lose no digits. [m]
    to_plane : tuple of float
        Matrix (row by row) from easting and northing to u and v, true lengths.
    """

    origin: tuple[float, float]
    to_plane: tuple[float, float, float, float]

    @classmethod
    def of(
        cls, geometry: shapely.Geometry, slope_east: float, slope_north: float, grid_azimuth: float
    ) -> PlaneFrame:
        """Frame of a plane near a geometry whose v axis looks away from ``grid_azimuth``. [°]"""
        azimuth_rad = math.radians(grid_azimuth)
        # Seen from the front, u runs to the right: facing south, to the east.
        right = (-math.cos(azimuth_rad), math.sin(azimuth_rad))
        along = np.array([*right, right[0] * slope_east + right[1] * slope_north])
        along /= np.linalg.norm(along)
        normal = np.array([-slope_east, -slope_north, 1.0])
        up = np.cross(normal / np.linalg.norm(normal), along)
        east, north = np.array([1.0, 0.0, slope_east]), np.array([0.0, 1.0, slope_north])
        west_m, south_m, _, _ = geometry.bounds
        return cls(
            (math.floor(west_m), math.floor(south_m)),
            (float(along @ east), float(along @ north), float(up @ east), float(up @ north)),
        )

    def plane_of(self, geometry):
        """Geometry in plan (or array of geometries) in plane coordinates."""
        a, b, c, d = self.to_plane
        matrix = np.array([[a, c], [b, d]])
        origin = np.array(self.origin)
        return shapely.transform(geometry, lambda xy: (xy - origin) @ matrix)

    def plan_of(self, geometry):
        """Geometry in plane coordinates (or array of geometries) in plan."""
        return shapely.transform(geometry, self.plan_points)

    def plan_points(self, points: np.ndarray) -> np.ndarray:
        """Easting and northing of points (..., 2) in plane coordinates. [m]"""
        a, b, c, d = self.to_plane
        matrix = np.array([[d, -c], [-b, a]]) / (a * d - b * c)
        return points @ matrix + np.array(self.origin)


def downhill_azimuth(slope_east: float, slope_north: float) -> float:
    """Direction a plane falls to, clockwise from grid north; 180 if it is level. [°]"""
    if math.hypot(slope_east, slope_north) < 1e-9:
        return 180.0
    return math.degrees(math.atan2(-slope_east, -slope_north)) % 360.0


def usable_area(
    outline: shapely.Polygon | shapely.MultiPolygon,
    slope_east: float,
    slope_north: float,
    roof_outline: shapely.Polygon | shapely.MultiPolygon,
    obstacles: Sequence[shapely.Geometry],
    margins: Margins,
    *,
    is_flat: bool,
    dark: shapely.Geometry | None = None,
) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Part of a roof plane that modules may lie on.

    Parameters
    ----------
    outline : Polygon or MultiPolygon
        Plane in plan. [m]
    slope_east, slope_north : float
        Rise per metre towards grid east and grid north. [–]
    roof_outline : Polygon or MultiPolygon
        Outline of the whole roof: edges of the plane on it are free, others are shared. [m]
    obstacles : sequence of Polygon
        What stands on the plane, in plan; cut out with ``margins.obstacle_m`` around it. [m]
    margins : Margins
    is_flat : bool
        Free edges keep ``flat_edge_m``, whichever way they look.
    dark : Polygon or MultiPolygon, optional
        Parts with too little light, in plan; cut out as they are. [m]

    Returns
    -------
    usable : Polygon or MultiPolygon
        In plan; empty if nothing is left. [m]

    Raises
    ------
    InputError
        If the outline is invalid or no polygon.

    Notes
    -----
    Every edge takes away all that is nearer to it, along the roof, than its margin; at reflex
    corners square instead of round, which no row of modules could use.
    """
    if not isinstance(outline, shapely.Polygon | shapely.MultiPolygon) or not outline.is_valid:
        raise InputError(
            f"the outline of a plane is an invalid geometry or a {outline.geom_type}",
            expected="a valid Polygon or MultiPolygon",
        )
    if outline.is_empty:
        return shapely.Polygon()
    azimuth = downhill_azimuth(slope_east, slope_north)
    frame = PlaneFrame.of(outline, slope_east, slope_north, azimuth)
    plane = frame.plane_of(outline)
    roof = frame.plane_of(roof_outline)
    start, end = _edges(plane, roof)
    margin = _edge_margins(start, end, _is_free(start, end, roof), margins, is_flat)
    usable = _less_edges(plane, start, end, margin)
    taken = [o for o in obstacles if not o.is_empty]
    if taken and not usable.is_empty:
        around = shapely.buffer(
            shapely.union_all(frame.plane_of(np.array(taken, dtype=object))),
            margins.obstacle_m,
            join_style="mitre",
            mitre_limit=MITRE,
        )
        usable = shapely.difference(usable, around)
    if dark is not None and not dark.is_empty and not usable.is_empty:
        usable = shapely.difference(usable, frame.plane_of(dark))
    return frame.plan_of(_pieces(usable))


def _edges(plane, roof) -> tuple[np.ndarray, np.ndarray]:
    """
    Edges (n, 2) from start to end of all rings, inside on their left.

    Cut where the roof's outline has corners: there a free edge may become a shared one.
    """
    starts, ends = [], []
    for ring in shapely.get_rings(shapely.get_parts(shapely.orient_polygons(plane))):
        corners = shapely.get_coordinates(ring)
        starts.append(corners[:-1])
        ends.append(corners[1:])
    start, end = np.concatenate(starts), np.concatenate(ends)
    corners = shapely.get_coordinates(roof)
    along = end - start
    length = np.maximum(np.hypot(*along.T), 1e-12)
    way = corners[None] - start[:, None]
    t = (way * along[:, None]).sum(axis=2) / length[:, None]
    off = (
        np.abs(way[..., 0] * along[:, None, 1] - way[..., 1] * along[:, None, 0]) / length[:, None]
    )
    cuts = (off < ON_OUTLINE_M) & (t > ON_OUTLINE_M) & (t < length[:, None] - ON_OUTLINE_M)
    for e in np.flatnonzero(cuts.any(axis=1)).tolist():
        stops = np.unique(t[e, cuts[e]])[:, None] / length[e] * along[e] + start[e]
        start = np.concatenate([start, stops])
        end = np.concatenate([end, stops[1:], end[e : e + 1]])
        end[e] = stops[0]
    return start, end


def _is_free(start, end, roof) -> np.ndarray:
    """Edges that lie on the roof's outline; judged at both quarters of their length."""
    quarters = np.stack([0.75 * start + 0.25 * end, 0.25 * start + 0.75 * end])
    distance = shapely.distance(shapely.points(quarters), shapely.boundary(roof))
    return (distance < ON_OUTLINE_M).all(axis=0)


def _edge_margins(start, end, free, margins: Margins, is_flat: bool) -> np.ndarray:
    """Set-back of every edge. [m]"""
    if is_flat:
        return np.where(free, margins.flat_edge_m, margins.ridge_m)
    along = end - start
    # The inside lies on the left: outwards is to the right of the edge.
    outward_up = -along[:, 0] / np.maximum(np.hypot(*along.T), 1e-12)
    return np.select(
        [~free | (outward_up > MOSTLY), outward_up < -MOSTLY],
        [margins.ridge_m, margins.eaves_m],
        margins.verge_m,
    )


def _less_edges(plane, start, end, margin):
    """Plane without what is nearer to an edge than its margin."""
    least = float(margin.min())
    if least > 0.0:
        plane = shapely.buffer(plane, -least, join_style="mitre", mitre_limit=MITRE)
    wider = margin > least + 1e-9
    if not wider.any() or plane.is_empty:
        return plane
    lines = shapely.linestrings(np.stack([start[wider], end[wider]], axis=1))
    bands = shapely.buffer(lines, margin[wider], cap_style="square")
    return shapely.difference(plane, shapely.union_all(bands))


def _pieces(geometry) -> shapely.Polygon | shapely.MultiPolygon:
    """The polygons of a geometry that are more than slivers."""
    parts = [
        part
        for part in shapely.get_parts(shapely.get_parts(geometry))
        if part.geom_type == "Polygon" and part.area > SLIVER_M2
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
