"""One bounce: what receivers get back from ground, roofs and opposite walls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solarkataster.errors import InputError
from solarkataster.irradiance import Light
from solarkataster.kernels.order import stack_starts
from solarkataster.kernels.reflection import N_LANE, light_seen
from solarkataster.receivers import Receivers
from solarkataster.reflectors import REACH_M, Albedos, Reflectors, lit_reflectors

__all__ = ["REACH_M", "Albedos", "Reflectors", "bounce", "lit_reflectors", "view_shares"]

#: Directions in which a wall looks, all in front; and other surfaces, all around.
N_FRONT, N_AROUND = 20, 16

#: A surface this steep is a wall: it looks to its front only. [°]
STEEP_DEG = 88.0

#: Receivers of one surface in a box look once: on a wall of this edge and height, and in a cube on
#: roofs, which see less of what sends back. [m]
WALL_BOX_M, ROOF_BOX_M = (2.5, 0.5), 3.5

#: Who sees less of ground and walls keeps the light of open ground. [–]
LEAST_VIEW = 0.001


def bounce(reflectors: Reflectors, receivers: Receivers, seen: Light) -> Light:
    """
    Light with what ground, roofs and opposite walls send back.

    Parameters
    ----------
    reflectors : Reflectors
        Around the same receivers.
    receivers : Receivers
    seen : Light
        Of the receivers, with any albedo: its ground light is replaced.

    Returns
    -------
    Light
        Months and ground light are new: by month, ``ground_view_factor`` × the mean that the
        things below the skyline send back, each weighed with the share of the view it fills.

    Notes
    -----
    Along rays to the front of each receiver a walk outwards over the surface finds what raises
    the line of sight: ground up to the foot of a wall, the wall above it, a roof that is looked
    down on. Each fills its sector between two elevations, of which the share of the view has a
    closed form. Beyond the reach there is open ground up to the horizon. Edges above and in front
    of receivers send nothing back of their own; the view below an edge is part of the mean.

    Receivers of one surface that lie near to each other look once, from the middle one: what is
    sent to them differs little, and how much of the view it fills is each one's own.
    """
    asks = seen.ground_view_factor >= LEAST_VIEW
    place, whose = _who_looks(reflectors, receivers, np.flatnonzero(asks))
    light, share = _look(reflectors, receivers, place)
    open_ground = reflectors.sent[0, :12].astype(np.float64)
    mean = np.where(
        share[:, None] > 0, light / np.where(share > 0, share, 1.0)[:, None], open_ground
    )
    sent = np.broadcast_to(open_ground, (len(receivers), 12)).copy()
    sent[asks] = mean[whose]
    reflected = seen.ground_view_factor[:, None] * sent
    ghi = reflectors.ghi_kwh_m2
    before = seen.poa_ground_diffuse_year_kwh_m2[:, None] * (ghi / ghi.sum())
    return replace(
        seen,
        poa_global_month_kwh_m2=np.maximum(seen.poa_global_month_kwh_m2 - before, 0.0) + reflected,
        poa_ground_diffuse_year_kwh_m2=reflected.sum(axis=1),
        poa_ground_diffuse_month_kwh_m2=reflected.astype(np.float32),
    )


def view_shares(reflectors: Reflectors, receivers: Receivers) -> np.ndarray:
    """
    Shares of the view that ground, roofs, walls and open ground beyond the reach fill.

    Parameters
    ----------
    reflectors : Reflectors
    receivers : Receivers

    Returns
    -------
    ndarray, shape (n, 4)
        Cosine-weighted share of the hemisphere. [–]
    """
    kinds = np.zeros_like(reflectors.sent)
    firsts = (0, 1, reflectors.first_roof, reflectors.first_band, len(kinds))
    for lane, kind in enumerate((1, 2, 3, 0)):
        kinds[firsts[kind] : firsts[kind + 1], lane] = 1.0
    return _look(replace(reflectors, sent=kinds), receivers, np.arange(len(receivers)))[0][:, :4]


def _who_looks(
    reflectors: Reflectors, receivers: Receivers, asking: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Receivers that look, and for each that asks the number of the one it takes it from."""
    if not asking.size:
        return asking, asking
    surface = receivers.surface[asking]
    is_wall = (receivers.surface_tilt >= STEEP_DEG)[surface]
    edge = np.where(is_wall, *(_odd_cells(m, reflectors) for m in (WALL_BOX_M[0], ROOF_BOX_M)))
    tall_m = np.where(is_wall, WALL_BOX_M[1], ROOF_BOX_M)
    # Counted on the lattice of all windows.
    row = receivers.row[asking] + (reflectors.grid.first_row - reflectors.first_row + 0.5)
    col = receivers.col[asking] + (reflectors.grid.first_col - reflectors.first_col + 0.5)
    key = surface.astype(np.int64)
    for place in (row / edge, col / edge, receivers.elevation_m[asking] / tall_m):
        box = np.floor(place).astype(np.int64)
        box -= box.min()
        key = key * (int(box.max()) + 1) + box
    off = (row % edge - edge / 2) ** 2 + (col % edge - edge / 2) ** 2
    order = np.argsort(key, kind="stable")
    is_first = np.diff(key[order], prepend=-1) != 0
    first, number = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    off = off[order]
    is_nearest = off == np.minimum.reduceat(off, first)[number]
    at = np.minimum.reduceat(np.where(is_nearest, np.arange(len(off)), len(off)), first)
    looks = asking[order[at]]
    # Back in the receivers' order, which keeps columns together.
    by_place = np.argsort(looks, kind="stable")
    rank = np.empty(len(looks), np.int64)
    rank[by_place] = np.arange(len(looks))
    whose = np.empty(len(asking), np.int64)
    whose[order] = rank[number]
    return looks[by_place], whose


def _odd_cells(edge_m: float, reflectors: Reflectors) -> int:
    """Cells along an edge of about a length, so that one is in the middle."""
    return 2 * int(edge_m / reflectors.grid.cell_size_m / 2.0) + 1


def _look(
    reflectors: Reflectors, receivers: Receivers, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of share × what is sent (n, 12), and share of the hemisphere below the skyline (n,)."""
    n = len(which)
    seen, share = np.zeros((n, N_LANE), dtype=np.float32), np.zeros(n)
    row = receivers.row[which] - reflectors.first_row
    col = receivers.col[which] - reflectors.first_col
    shape = reflectors.surface_m.shape
    for name, at, size in (("row", row, shape[0]), ("col", col, shape[1])):
        if n and not (at.min() >= -0.5 and at.max() < size - 0.5):
            raise InputError(
                f"receivers beyond the reflectors: {name} {at.min():g} to {at.max():g}"
            )
    surface = receivers.surface[which]
    starts = stack_starts(row, col, receivers.elevation_m[which])
    # A place may belong to two surfaces, as at a corner.
    starts = np.union1d(starts, np.flatnonzero(np.diff(surface)) + 1)
    pieces = reflectors.pieces
    cell_m = reflectors.grid.cell_size_m
    light_seen(
        (reflectors.surface_m, reflectors.building, reflectors.source, reflectors.walls_at),
        reflectors.first_roof,
        (reflectors.wall_first, reflectors.wall_of, pieces.line, pieces.building),
        (reflectors.first_band + pieces.first_band, pieces.foot_m, pieces.band_m),
        reflectors.sent, row, col, receivers.elevation_m[which], receivers.top_tangent[which],
        surface, starts, _normals(receivers),
        (_front_edges(), np.linspace(-np.pi, np.pi, N_AROUND + 1)), cell_m,
        reflectors.reach_m / cell_m, seen, share,
    )  # fmt: skip
    return seen[:, :12].astype(np.float64), share


def _normals(receivers: Receivers) -> np.ndarray:
    """Facing [rad], level and upward part of the normal of each surface."""
    tilt = np.radians(receivers.surface_tilt)
    up = np.where(receivers.surface_tilt >= STEEP_DEG, 0.0, np.cos(tilt))
    return np.stack([np.radians(receivers.grid_azimuth), np.sqrt(1.0 - up**2), up], axis=1)


def _front_edges() -> np.ndarray:
    """Borders of the sectors before a wall: their widths lie between even and even in sine."""
    fine = np.linspace(-np.pi / 2, np.pi / 2, 2001)
    filled = 0.5 * (fine / np.pi + 0.5) + 0.5 * (np.sin(fine) + 1.0) / 2.0
    return np.interp(np.arange(N_FRONT + 1) / N_FRONT, filled, fine)
