"""Receivers: points that collect light, whether on a roof, up a wall or a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from solarkataster.errors import InputError


@dataclass(frozen=True)
class Receivers:
    """
    Points with the surfaces they lie on.

    Parameters
    ----------
    row, col : ndarray, shape (n,), float64
        Place in cells of the window; cell centres on whole numbers, row 0 north.
    elevation_m : ndarray, shape (n,), float64
        Height of the point in the datum of the surface model. [m]
    surface : ndarray, shape (n,), int32
        Which of the surfaces below the point belongs to.
    surface_tilt : ndarray, shape (n_surface,), float64
        Tilt of each surface, 0 to 90. [°]
    grid_azimuth : ndarray, shape (n_surface,), float64
        Where each surface faces, clockwise from grid north; any number on a level one. [°]
    front_tangent : ndarray, shape (n_surface,), float64
        Tangent of the elevation of an endless straight edge that lies in front of the surface,
        level and square to its facing: the row in front of a racked module. 0, the default, hides
        nothing. [–]
    top_tangent : ndarray, shape (n,), float64
        Tangent of the elevation of an endless straight edge above each receiver, level and square
        to its surface's facing, below which alone it sees the sky: eaves or a balcony, height over
        the receiver ÷ depth in front of the *wall plane* (not of the receiver before it). Towards
        an azimuth off the facing by ``a`` the edge is ``1 / cos a`` times as far away, so the
        limit there is ``top_tangent · cos a``. inf, the default, hides nothing. [–]

    Raises
    ------
    InputError
        If lengths disagree, a number is not finite (``top_tangent``: not a number), an edge lies
        below the horizon or a tilt lies outside 0 to 90°.

    Notes
    -----
    Receivers over one another, as up a wall, are answered together at a fraction of the price if
    they follow each other from the lowest to the highest with the same row and column. Results do
    not depend on the order.
    """

    row: np.ndarray
    col: np.ndarray
    elevation_m: np.ndarray
    surface: np.ndarray
    surface_tilt: np.ndarray
    grid_azimuth: np.ndarray
    front_tangent: np.ndarray = field(default_factory=lambda: np.zeros(0))
    top_tangent: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if len(self.front_tangent) == 0:
            object.__setattr__(self, "front_tangent", np.zeros(len(self.surface_tilt)))
        if len(self.top_tangent) == 0:
            object.__setattr__(self, "top_tangent", np.full(len(self.row), np.inf))
        cast = {
            "row": np.float64,
            "col": np.float64,
            "elevation_m": np.float64,
            "surface": np.int32,
            "surface_tilt": np.float64,
            "grid_azimuth": np.float64,
            "front_tangent": np.float64,
            "top_tangent": np.float64,
        }
        for name, dtype in cast.items():
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        n = len(self.row)
        if any(len(getattr(self, name)) != n for name in ("col", "elevation_m", "surface")):
            raise InputError("receivers have rows, columns, heights and surfaces of unequal length")
        if len(self.top_tangent) != n:
            raise InputError("receivers: as many edges above as receivers are needed")
        for name in (*list(cast)[:3], "surface_tilt", "grid_azimuth", "front_tangent"):
            if not np.isfinite(getattr(self, name)).all():
                raise InputError(f"receivers: {name} holds values that are not finite")
        if not len(self.surface_tilt) == len(self.grid_azimuth) == len(self.front_tangent):
            raise InputError("receivers: as many tilts as azimuths and edges in front are needed")
        if (self.front_tangent < 0).any():
            raise InputError("receivers: an edge in front lies below the horizon")
        if not (self.top_tangent >= 0).all():
            raise InputError(
                "receivers: an edge above lies below the horizon or is not a number",
                expected="0 or more, inf for none",
                remedy="Leave out receivers that stand above their eaves.",
            )
        if n and (self.surface.min() < 0 or self.surface.max() >= len(self.surface_tilt)):
            raise InputError("receivers: a surface number points at no surface")
        if ((self.surface_tilt < 0) | (self.surface_tilt > 90)).any():
            raise InputError(
                "receivers: surface_tilt outside 0 to 90°",
                expected="0 (level) to 90 (wall)",
                remedy="Surfaces that face the ground are not rated; leave them out.",
            )

    def __len__(self) -> int:
        return len(self.row)


def join_receivers(parts: Sequence[Receivers]) -> Receivers:
    """
    Receivers of several sets in one, as of roofs and walls that share a sweep.

    Parameters
    ----------
    parts : sequence of Receivers
        At least one.

    Returns
    -------
    Receivers
        One after the other; their surfaces are numbered through.
    """
    n_surface = [len(part.surface_tilt) for part in parts]
    first_surface = np.cumsum([0, *n_surface[:-1]])
    joined = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts])
        for one in fields(Receivers)
    }
    joined["surface"] = np.concatenate(
        [part.surface + first for part, first in zip(parts, first_surface, strict=True)]
    )
    return Receivers(**joined)


def plane_receivers(
    labels: np.ndarray,
    slope_east: np.ndarray,
    slope_north: np.ndarray,
    elevation_at_origin_m: np.ndarray,
    cell_size_m: float,
    lift_m: float = 0.1,
) -> Receivers:
    """
    One receiver per labelled cell, on its fitted plane plus a lift.

    On the plane and not on the raw cell: 3 cm of noise in a 0.5 m surface model otherwise raises
    a roof's horizon by one to two degrees.

    Parameters
    ----------
    labels : ndarray, shape (ny, nx), int32
        Plane of each cell, 1 to n_plane; 0 for none.
    slope_east, slope_north : ndarray, shape (n_plane,)
        Rise of each plane per metre towards east and north. [–]
    elevation_at_origin_m : ndarray, shape (n_plane,)
        Height of each plane at the centre of cell (0, 0). [m]
    cell_size_m : float
        Edge of one cell. [m]
    lift_m : float
        Height of the receivers over their plane, as of modules on a roof. [m]

    Returns
    -------
    Receivers
        In row-major order of the cells; ``surface`` is the label less one.
    """
    rows, cols = np.nonzero(labels)
    surface = labels[rows, cols].astype(np.int32) - 1
    elevation_m = (
        np.asarray(elevation_at_origin_m)[surface]
        + np.asarray(slope_east)[surface] * (cols * cell_size_m)
        - np.asarray(slope_north)[surface] * (rows * cell_size_m)
        + lift_m
    )
    tilt, azimuth = tilt_and_azimuth(slope_east, slope_north)
    return Receivers(rows, cols, elevation_m, surface, tilt, azimuth)


def tilt_and_azimuth(slope_east, slope_north) -> tuple[np.ndarray, np.ndarray]:
    """
    Tilt and facing of planes from their slopes.

    Parameters
    ----------
    slope_east, slope_north : array_like
        Rise per metre towards east and north. [–]

    Returns
    -------
    surface_tilt, grid_azimuth : ndarray
        Degrees; the azimuth is where the plane falls to, clockwise from grid north, 0 if level.
    """
    slope_east = np.asarray(slope_east, dtype=np.float64)
    slope_north = np.asarray(slope_north, dtype=np.float64)
    tilt = np.degrees(np.arctan(np.hypot(slope_east, slope_north)))
    azimuth = np.degrees(np.arctan2(-slope_east, -slope_north)) % 360.0
    return tilt, np.where(tilt > 0, azimuth, 0.0)
