"""Modules one by one on a roof plane: flush rows and columns, or racks on flat roofs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.layout.azimuths import building_azimuth, rack_azimuths
from solarkataster.layout.blocks import pack, pack_rows
from solarkataster.layout.margins import Margins, PlaneFrame, downhill_azimuth, usable_area
from solarkataster.layout.racks import Racks

__all__ = [
    "Margins",
    "Module",
    "ModuleLayout",
    "building_azimuth",
    "lay_modules",
    "lay_racks",
    "module_layout",
    "rack_azimuths",
    "usable_area",
]

#: Distance of the heights that strips of modules are tried at; where more begin to fit is narrowed
#: down from there. [m]
STEP_M = 0.05

#: Rows are combined with columns where no more modules than this can fit: on larger roofs the one
#: or two modules it gains do not matter.
N_COMBINED = 100

#: Rows follow an edge that is this near to level, and at least this part of the plane's width. [°]
LEVEL_EDGE_DEG = 3.0
LEVEL_EDGE_FRACTION = 0.3

#: Kinds of modules in the kernels.
PORTRAIT, LANDSCAPE = 0, 1
KINDS = {"best": (True, True), "portrait": (True, False), "landscape": (False, True)}


@dataclass(frozen=True)
class Module:
    """
    A module and the distance to its neighbours.

    Parameters
    ----------
    length_m, width_m : float
        Long and short side. [m]
    power_wp : float
        Rated power. [Wp]
    gap_m : float
        Distance between neighbours. [m]

    Raises
    ------
    InputError
        If a side is not positive or the gap negative.
    """

    length_m: float = 1.762
    width_m: float = 1.134
    power_wp: float = 440.0
    gap_m: float = 0.02

    def __post_init__(self) -> None:
        if not (self.length_m > 0.0 and self.width_m > 0.0 and self.gap_m >= 0.0):
            raise InputError(
                f"a module of {self.length_m:g} x {self.width_m:g} m with {self.gap_m:g} m of gap",
                expected="positive sides, a gap of 0 or more",
            )


@dataclass(frozen=True, eq=False)
class ModuleLayout:
    """
    Modules on one plane, row by row from the front, in a row from the left.

    Attributes
    ----------
    corners : ndarray, shape (n, 4, 2)
        Easting and northing: front left, front right, back right, back left as seen from the front.
        [m]
    row, column : ndarray of int32, shape (n,)
        From 1; row 1 is at the eaves or the front, column 1 at the left seen from there.
    is_portrait : ndarray of bool, shape (n,)
        Long side up the slope.
    facing : ndarray of int32, shape (n,)
        Index into the racks' azimuths; 0 without racks.
    usable_area_m2 : float
        Inclined area that was there to be filled. [m²]
    """

    corners: np.ndarray
    row: np.ndarray
    column: np.ndarray
    is_portrait: np.ndarray
    facing: np.ndarray
    usable_area_m2: float

    def __len__(self) -> int:
        return len(self.corners)

    @property
    def n(self) -> int:
        """Number of modules."""
        return len(self.corners)


def module_layout(
    outline: shapely.Polygon | shapely.MultiPolygon,
    slope_east: float,
    slope_north: float,
    roof_outline: shapely.Polygon | shapely.MultiPolygon,
    obstacles: Sequence[shapely.Geometry],
    margins: Margins,
    module: Module,
    *,
    is_flat: bool,
    orientation: str = "best",
    racks: Racks | None = None,
    grid_azimuth: float | None = None,
    dark: shapely.Geometry | None = None,
) -> ModuleLayout:
    """
    Usable area of a plane and the modules on it.

    Parameters
    ----------
    outline, slope_east, slope_north, roof_outline, obstacles, margins, is_flat, dark
        As for :func:`usable_area`.
    module : Module
    orientation : str
        ``best``, ``portrait`` or ``landscape``.
    racks : Racks, optional
        Racks that modules of a flat roof stand on; without them they lie flush.
    grid_azimuth : float, optional
        Where the front of flush rows looks; the plane's own fall if not given. On flat roofs that
        of a long wall (:func:`building_azimuth`). [°]

    Returns
    -------
    layout : ModuleLayout

    Raises
    ------
    InputError
        As :func:`usable_area` and :func:`lay_modules`.
    """
    usable = usable_area(
        outline, slope_east, slope_north, roof_outline, obstacles, margins,
        is_flat=is_flat, dark=dark,
    )  # fmt: skip
    if is_flat and racks is not None:
        layout = lay_racks(usable, racks, module, orientation=orientation)
        stretch = math.hypot(1.0, slope_east, slope_north)
        return replace(layout, usable_area_m2=usable.area * stretch)
    return lay_modules(
        usable, slope_east, slope_north, module, orientation=orientation, grid_azimuth=grid_azimuth
    )


def lay_modules(
    usable: shapely.Polygon | shapely.MultiPolygon,
    slope_east: float,
    slope_north: float,
    module: Module,
    *,
    orientation: str = "best",
    grid_azimuth: float | None = None,
) -> ModuleLayout:
    """
    The most modules found for a piece of an inclined plane.

    Parameters
    ----------
    usable : Polygon or MultiPolygon
        Where modules may lie, in plan. [m]
    slope_east, slope_north : float
        Rise per metre towards grid east and grid north. [–]
    module : Module
    orientation : str
        ``best`` (whatever holds more, both mixed if that does), ``portrait`` or ``landscape``.
    grid_azimuth : float, optional
        Where the front of the rows looks; the plane's fall if not given. [°]

    Returns
    -------
    layout : ModuleLayout
        Modules are level rows, columns up the slope, or both side by side; rows follow the longest
        edge within 3° of level if there is one.

    Raises
    ------
    InputError
        If the orientation is unknown.

    Notes
    -----
    Rows of any height and offset are piled by dynamic programming
    (``solarkataster.kernels.packing``), rows and columns combined by
    ``solarkataster.layout.blocks``. Pieces nearer to each other than the gap are filled as
    one, others one by one.
    """
    kinds = _kinds(orientation)
    if usable.is_empty:
        return _no_modules()
    if grid_azimuth is None:
        grid_azimuth = downhill_azimuth(slope_east, slope_north)
    frame = PlaneFrame.of(usable, slope_east, slope_north, grid_azimuth)
    plane = frame.plane_of(usable)
    turn_rad = _level_edge_turn(plane)
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    turned = np.array([[cos, -sin], [sin, cos]])  # from plane to the rows' own axes
    plane = shapely.transform(plane, lambda uv: uv @ turned)
    size_u = np.array([module.width_m, module.length_m])
    size_v = size_u[::-1].copy()
    placed = [np.empty((0, 3))]
    for piece in _groups(plane, module.gap_m):
        placed.append(
            pack(
                _edges(piece), size_u, size_v, np.array(kinds), module.gap_m,
                float(piece.area), STEP_M, N_COMBINED,
            )
        )  # fmt: skip
    modules = np.concatenate(placed)
    kind = modules[:, 2].astype(np.intp)
    corners = _rectangles(modules[:, :2], size_u[kind], size_v[kind])
    layout = _numbered(corners, kind == PORTRAIT, np.zeros(len(kind), np.int32), plane.area)
    return replace(layout, corners=frame.plan_points(layout.corners @ turned.T))


def lay_racks(
    usable: shapely.Polygon | shapely.MultiPolygon,
    racks: Racks,
    module: Module,
    *,
    orientation: str = "best",
) -> ModuleLayout:
    """
    The most modules found on racks of a flat roof.

    Parameters
    ----------
    usable : Polygon or MultiPolygon
        Where modules may stand, in plan. [m]
    racks : Racks
        Rows run at right angles to its first azimuth; one module deep, or two back to back.
    module : Module
    orientation : str
        ``landscape`` (short side up the slope), ``portrait``, or ``best`` of the two.

    Returns
    -------
    layout : ModuleLayout
        Corners are those of the inclined modules, in plan.

    Raises
    ------
    InputError
        If the orientation is unknown.

    Notes
    -----
    All pieces share their rows, so that none stands nearer behind another than the racks' gap.
    Of equal results landscape is kept: its rows are lower.
    """
    kinds = _kinds(orientation)
    if usable.is_empty:
        return _no_modules()
    frame = PlaneFrame.of(usable, 0.0, 0.0, racks.azimuths_deg[0])
    plane = frame.plane_of(usable)
    edges = _edges(plane)
    n_facing = len(racks.azimuths_deg)
    best = _no_modules()
    for kind in (LANDSCAPE, PORTRAIT):
        if not kinds[kind]:
            continue
        slant_m, along_m = module.width_m, module.length_m
        if kind == PORTRAIT:
            slant_m, along_m = along_m, slant_m
        depth_m = racks.unit_depth_m(slant_m)
        units = pack_rows(
            edges, along_m, depth_m, module.gap_m, racks.gap_m(slant_m), float(plane.area), STEP_M
        )
        if n_facing * len(units) <= best.n:
            continue
        each_m = depth_m / n_facing
        facing = np.tile(np.arange(n_facing, dtype=np.int32), len(units))
        start = np.repeat(units[:, :2], n_facing, axis=0)
        start[:, 1] += facing * each_m
        size = np.ones(len(start))
        corners = _rectangles(start, along_m * size, each_m * size)
        best = _numbered(corners, np.full(len(start), kind == PORTRAIT), facing, plane.area)
    return replace(best, corners=frame.plan_points(best.corners), usable_area_m2=float(plane.area))


def _kinds(orientation: str) -> tuple[bool, bool]:
    if orientation not in KINDS:
        raise InputError(f"orientation {orientation!r}", expected=f"one of {', '.join(KINDS)}")
    return KINDS[orientation]


def _no_modules() -> ModuleLayout:
    none = np.zeros(0, np.int32)
    return ModuleLayout(np.empty((0, 4, 2)), none, none, none.astype(bool), none, 0.0)


def _edges(geometry) -> np.ndarray:
    """Edges (n, 4) of all rings of polygons: start and end."""
    rings = [
        shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(geometry))
    ]
    return np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings])


def _level_edge_turn(plane) -> float:
    """Angle from the u axis to the longest edge near it, 0 if there is no long one. [rad]"""
    edges = _edges(plane)
    along = edges[:, 2:] - edges[:, :2]
    angle = np.arctan2(along[:, 1], along[:, 0])
    angle = (angle + 0.5 * math.pi) % math.pi - 0.5 * math.pi
    length = np.where(np.abs(angle) <= math.radians(LEVEL_EDGE_DEG), np.hypot(*along.T), 0.0)
    west, _, east, _ = plane.bounds
    if length.max() < LEVEL_EDGE_FRACTION * (east - west):
        return 0.0
    # Of equally long edges the lowest: eaves rather than a ridge.
    longest = np.flatnonzero(length > length.max() - 1e-3)
    return float(angle[longest[np.argmin(edges[longest, 1])]])


def _groups(plane, gap_m: float) -> list:
    """Pieces; those that are nearer to each other than the gap together."""
    pieces = shapely.get_parts(plane)
    if len(pieces) < 2:
        return list(pieces)
    group = np.arange(len(pieces))
    first, second = shapely.STRtree(pieces).query(pieces, predicate="dwithin", distance=gap_m)
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if group[i] != group[j]:
            group[group == max(group[i], group[j])] = min(group[i], group[j])
    return [shapely.MultiPolygon(list(pieces[group == g])) for g in np.unique(group)]


def _rectangles(start, size_u, size_v) -> np.ndarray:
    """Corners (n, 4, 2) of rectangles from their lower left ones, counter-clockwise."""
    right = np.stack([size_u, np.zeros_like(size_u)], axis=1)
    up = np.stack([np.zeros_like(size_v), size_v], axis=1)
    return np.stack([start, start + right, start + right + up, start + up], axis=1)


def _numbered(corners, is_portrait, facing, area_m2: float) -> ModuleLayout:
    """Modules ordered and numbered by row and column; corners in the axes of the rows."""
    middle_v = 0.5 * (corners[:, 0, 1] + corners[:, 2, 1])
    height = corners[:, 2, 1] - corners[:, 0, 1]
    row = np.zeros(len(corners), np.int32)
    n_row, above = 0, -math.inf
    for i in np.argsort(middle_v, kind="stable").tolist():
        if middle_v[i] > above:
            n_row += 1
            # A row is what lies less than half a module higher than its first one.
            above = middle_v[i] + 0.5 * height[i]
        row[i] = n_row
    order = np.lexsort((corners[:, 0, 0], row))
    row = row[order]
    column = np.arange(len(row)) - np.searchsorted(row, row) + 1
    return ModuleLayout(
        corners[order], row, column.astype(np.int32), is_portrait[order], facing[order],
        float(area_m2),
    )  # fmt: skip
