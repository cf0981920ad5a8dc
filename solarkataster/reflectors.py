"""What sends light back to the receivers of a window, lit once by sun and sky."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from solarkataster.errors import InputError
from solarkataster.footprint_cells import building_cells
from solarkataster.grid import Grid
from solarkataster.irradiance import light
from solarkataster.kernels.reflection import N_LANE
from solarkataster.receivers import Receivers, join_receivers
from solarkataster.reflecting_tops import Tops, block_cells, block_numbers, tops, whole_blocks
from solarkataster.reflecting_walls import (
    WallPieces,
    wall_pieces,
    wall_receivers,
    walls_beside_cells,
)
from solarkataster.sky_table import SkyTable

#: What reflects within this distance is looked at. [m]
REACH_M = 100.0

#: Crossings of their skylines that are marched exactly: half of what results are given with.
N_NEAR = 12

#: Height of cells without data: they are never seen. [m]
NOTHING_M = -1.0e4


@dataclass(frozen=True, eq=False)
class Albedos:
    """
    Share of light that surfaces send back.

    Parameters
    ----------
    ground : array_like, shape (12,) or (n_class, 12)
        By month; of each class of ground, if there are any. The first class is that of all ground
        beyond the reach. [–]
    roof, wall, glass : float
        Of roofs, walls and the windows in them. [–]

    Raises
    ------
    InputError
        If a share is not between 0 and 1, or the ground's has no twelve months.

    Notes
    -----
    Typical: grass 0.2 to 0.25, asphalt 0.1 to 0.2, fresh snow 0.8, water 0.07, roof tiles 0.2 to
    0.35, brick 0.3, light plaster 0.4 to 0.6; a window sends back about 0.15 of even light.
    """

    ground: np.ndarray = field(default_factory=lambda: np.full(12, 0.2))
    roof: float = 0.2
    wall: float = 0.3
    glass: float = 0.15

    def __post_init__(self) -> None:
        ground = np.atleast_2d(np.asarray(self.ground, dtype=np.float64))
        object.__setattr__(self, "ground", ground)
        if ground.ndim != 2 or ground.shape[1] != 12:
            raise InputError(f"albedo of the ground has the shape {ground.shape}, not 12 months")
        for name in ("ground", "roof", "wall", "glass"):
            share = np.asarray(getattr(self, name))
            if not ((share >= 0.0) & (share <= 1.0)).all():
                raise InputError(
                    f"albedo of {name} is no share: {np.min(share):g} to {np.max(share):g}",
                    expected="0 to 1",
                )

    def wall_with(self, glass_fraction: float | np.ndarray) -> np.ndarray:
        """Share that walls with windows send back, in the shape of the argument. [–]"""
        glass = np.asarray(glass_fraction, dtype=np.float64)
        return (1.0 - glass) * self.wall + glass * self.glass


@dataclass(frozen=True, eq=False)
class Reflectors:
    """
    What reflects around the receivers of a window.

    Attributes
    ----------
    grid : Grid
        Window of the rasters below: whole blocks, within reach of the receivers.
    first_row, first_col : int
        Its first cell in the window of the receivers.
    reach_m : float
    surface_m : ndarray, shape (ny, nx), float32
        NOTHING_M for no data. [m]
    building, source, walls_at : ndarray, shape (ny, nx), int32
        Footprint of each cell from 1, 0 for none; row of ``sent`` of its top; row of
        ``wall_first``.
    wall_first, wall_of : ndarray of int32
        As of :func:`solarkataster.reflecting_walls.walls_beside_cells`.
    pieces : WallPieces
    first_roof, first_band : int
        First row of ``sent`` of roofs and of walls; row 0 is open ground beyond the reach, and
        what follows it is ground.
    sent : ndarray, shape (n_source, 16), float32
        What each source sends back by month; the last four columns are empty. [kWh/m²]
    ghi_kwh_m2 : ndarray, shape (12,)
    """

    grid: Grid
    first_row: int
    first_col: int
    reach_m: float
    surface_m: np.ndarray
    building: np.ndarray
    source: np.ndarray
    walls_at: np.ndarray
    wall_first: np.ndarray
    wall_of: np.ndarray
    pieces: WallPieces
    first_roof: int
    first_band: int
    sent: np.ndarray
    ghi_kwh_m2: np.ndarray


def lit_reflectors(
    surface_m: np.ndarray,
    grid: Grid,
    footprints: np.ndarray,
    receivers: Receivers,
    sky: SkyTable,
    *,
    albedos: Albedos | None = None,
    glass_fraction: float | np.ndarray = 0.0,
    ground_class: np.ndarray | None = None,
    with_eaves_m: np.ndarray | None = None,
    reach_m: float = REACH_M,
    horizon_reach_m: float = 500.0,
    **options,
) -> Reflectors:
    """
    Light what lies within reach of receivers, each thing once.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        Solid surface as walls see it: eaves cut back, no crowns; NaN for no data. [m]
    grid : Grid
        The window; it should reach ``reach_m`` beyond all receivers.
    footprints : ndarray of shapely geometry, shape (n,)
        Outlines of the walls of all buildings in the window. [m]
    receivers : Receivers
        Who will ask.
    sky : SkyTable
        Few azimuths do, as 24.
    albedos : Albedos, optional
    glass_fraction : float or ndarray, shape (n,)
        Share of windows in the walls, of all or of each footprint. [–]
    ground_class : ndarray of int, shape (ny, nx), optional
        Row of ``albedos.ground`` of each cell; all 0 by default.
    with_eaves_m : ndarray, shape (ny, nx), optional
        The surface before its eaves were cut back; they shade the walls below them. [m]
    reach_m, horizon_reach_m : float
        How far from receivers things reflect, and from how far they are shaded. [m]
    **options
        Further ones of :func:`solarkataster.irradiance.light`, as its canopy.

    Returns
    -------
    Reflectors

    Raises
    ------
    InputError
        If there are no receivers or a class of ground has no albedo.

    Notes
    -----
    Everything is lit by sun and sky alone, so that light is reflected exactly once. Ground and
    roofs are lit in blocks of cells that are anchored to the lattice of all windows, walls in
    pieces of the sides of their footprints: another window lights the same places.
    """
    albedos = Albedos() if albedos is None else albedos
    _check(grid, surface_m, receivers, ground_class, albedos)
    part = _within_reach(grid, receivers, reach_m)
    surface = _cut(np.asarray(surface_m, dtype=np.float32), grid, part, np.nan)
    building = building_cells(footprints, part)
    pieces = wall_pieces(footprints, part, surface)
    known = np.isfinite(surface)
    ground = tops(surface, known & (building == 0), grid.cell_size_m, sloped=False)
    roofs = tops(surface, known & (building > 0), grid.cell_size_m, sloped=True)
    row, col = grid.offset_of(part)
    if with_eaves_m is not None:
        with_eaves_m = _cut(np.asarray(with_eaves_m, dtype=np.float32), grid, part, np.nan)
    walls = wall_receivers(pieces, surface, with_eaves_m, grid.cell_size_m)
    lit = join_receivers([ground.receivers, roofs.receivers, walls])
    months = light(
        surface_m, grid.cell_size_m, replace(lit, row=lit.row + row, col=lit.col + col), sky,
        reach_m=horizon_reach_m, first_row=grid.first_row, first_col=grid.first_col, albedo=0.0,
        **{"n_near": N_NEAR, **options},
    ).poa_global_month_kwh_m2  # fmt: skip
    wall_albedo = np.broadcast_to(albedos.wall_with(glass_fraction), len(footprints))
    sent, firsts = _sent(months, ground, roofs, pieces, albedos, wall_albedo, sky)
    of_class = 0 if ground_class is None else _cut(ground_class, grid, part, 0).astype(np.int32)
    number = block_numbers(part.shape, block_cells(grid.cell_size_m))
    source = np.where(
        building > 0, firsts[1] + number, 1 + number * len(albedos.ground) + of_class
    ).astype(np.int32)
    return Reflectors(
        part, row, col, reach_m, np.where(known, surface, np.float32(NOTHING_M)), building, source,
        *walls_beside_cells(pieces, part), pieces, firsts[1], firsts[2], sent,
        np.asarray(sky.ghi_kwh_m2, dtype=np.float64),
    )  # fmt: skip


def _check(grid: Grid, surface_m, receivers: Receivers, ground_class, albedos: Albedos) -> None:
    if np.shape(surface_m) != grid.shape:
        raise InputError(f"the surface has the shape {np.shape(surface_m)}, the grid {grid.shape}")
    if not len(receivers):
        raise InputError("no receivers ask for reflected light")
    if ground_class is None:
        return
    if np.shape(ground_class) != grid.shape:
        raise InputError(
            f"classes of ground have the shape {np.shape(ground_class)}, the grid {grid.shape}"
        )
    if ground_class.min() < 0 or ground_class.max() >= len(albedos.ground):
        raise InputError(
            f"class of ground {ground_class.max()}",
            expected=f"0 to {len(albedos.ground) - 1}: as many as there are albedos",
        )


def _within_reach(grid: Grid, receivers: Receivers, reach_m: float) -> Grid:
    """Whole blocks of cells that the receivers reach, cut at no edge of the window."""
    cells = math.ceil(reach_m / grid.cell_size_m) + 1
    bounds = []
    for places, n in ((receivers.row, grid.shape[0]), (receivers.col, grid.shape[1])):
        first, last = math.floor(places.min()) - cells, math.ceil(places.max()) + cells
        bounds += [max(0, first), min(n, last + 1)]
    return whole_blocks(
        grid, (bounds[0], bounds[1], bounds[2], bounds[3]), block_cells(grid.cell_size_m)
    )


def _cut(values: np.ndarray, grid: Grid, part: Grid, outside: float) -> np.ndarray:
    """Cells of a part of the window, which may jut out of it."""
    row, col = grid.offset_of(part)
    out = np.full(part.shape, outside, dtype=values.dtype)
    top, left = max(0, row), max(0, col)
    bottom, right = min(grid.shape[0], row + part.shape[0]), min(grid.shape[1], col + part.shape[1])
    out[top - row : bottom - row, left - col : right - col] = values[top:bottom, left:right]
    return out


def _sent(
    months: np.ndarray,
    ground: Tops,
    roofs: Tops,
    pieces: WallPieces,
    albedos: Albedos,
    wall_albedo: np.ndarray,
    sky: SkyTable,
) -> tuple[np.ndarray, list[int]]:
    """What sources send back, in float32 lanes; first of ground, roofs and walls."""
    n_ground = len(ground.receivers)
    n_top = n_ground + len(roofs.receivers)
    of_ground = ground.mean(months[:n_ground])[:, None, :] * albedos.ground
    band_albedo = np.repeat(wall_albedo[pieces.building - 1], pieces.n_band)
    parts = [
        albedos.ground[:1] * sky.ghi_kwh_m2,
        of_ground.reshape(-1, 12),
        roofs.mean(months[n_ground:n_top]) * albedos.roof,
        months[n_top:] * band_albedo[:, None],
    ]
    firsts = np.cumsum([len(part) for part in parts])
    sent = np.zeros((int(firsts[-1]), N_LANE), dtype=np.float32)
    sent[:, :12] = np.concatenate(parts)
    return sent, [int(first) for first in firsts[:3]]
