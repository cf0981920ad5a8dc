"""Racks on flat roofs: where rows face, how far they keep apart, what hides the sky in front."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.errors import InputError
from solarkataster.receivers import Receivers

#: Declination of the sun at a solstice (obliquity of the ecliptic). [°]
SOLSTICE_DECLINATION_DEG = 23.44

#: Heights on a module at which its light is taken: the row in front hides more sky from its foot
#: than from its top. One height a cell, in turns; the mean of all is the module's.
HEIGHT_FRACTIONS = (1.0 / 6.0, 0.5, 5.0 / 6.0)

#: Rows are kept apart for a sun at least so high over the roof: the tangent of 5°.
_LEAST_OVER_ROOF = math.tan(math.radians(5.0))


def noon_elevation_deg(latitude_deg: float) -> float:
    """Height of the sun at noon of the shortest day; 5° where it stays lower. [°]"""
    return max(5.0, 90.0 - abs(latitude_deg) - SOLSTICE_DECLINATION_DEG)


@dataclass(frozen=True)
class Racks:
    """
    Rows of modules on a roof that is nearly level.

    Parameters
    ----------
    azimuths_deg : tuple of float
        Where modules face, clockwise from grid north: one azimuth for rows behind each other, two
        opposite ones for pairs back to back. [°]
    tilt_deg : float
        Tilt of the modules. [°]
    aisle_m : float
        Least clear distance between two units, in plan. [m]
    shadow_angle_deg : float
        Rows that face one way keep so far apart that a sun this high, seen square to the rows, just
        clears the row in front. [°]
    rise_to_front : float
        How much the roof rises per metre towards the first facing: the row in front stands higher.
        [–]

    Raises
    ------
    InputError
        If a number makes no rack.
    """

    azimuths_deg: tuple[float, ...]
    tilt_deg: float
    aisle_m: float
    shadow_angle_deg: float
    rise_to_front: float = 0.0

    def __post_init__(self) -> None:
        if len(self.azimuths_deg) not in (1, 2):
            raise InputError(f"{len(self.azimuths_deg)} facings", expected="one, or two opposite")
        if not 0.0 < self.tilt_deg < 90.0 or not 0.0 < self.shadow_angle_deg <= 90.0:
            raise InputError(
                f"racks of {self.tilt_deg:g}° with a shadow angle of {self.shadow_angle_deg:g}°",
                expected="a tilt between 0 and 90° and a shadow angle up to 90°",
            )
        if not self.aisle_m >= 0.0:
            raise InputError(f"aisle of {self.aisle_m:g} m", expected="0 or more")

    @property
    def is_paired(self) -> bool:
        """Modules stand back to back."""
        return len(self.azimuths_deg) == 2

    @property
    def n_surface(self) -> int:
        """Surfaces among the receivers: every facing at every height on the module."""
        return len(self.azimuths_deg) * len(HEIGHT_FRACTIONS)

    def unit_depth_m(self, slant_m: float) -> float:
        """Depth in plan of a row, or of a pair back to back, of modules ``slant_m`` deep. [m]"""
        return len(self.azimuths_deg) * slant_m * math.cos(math.radians(self.tilt_deg))

    def gap_m(self, slant_m: float) -> float:
        """Clear distance in plan between two units. [m]"""
        if self.is_paired:
            return self.aisle_m
        rise_m = slant_m * math.sin(math.radians(self.tilt_deg))
        rise_m += self.rise_to_front * self.unit_depth_m(slant_m)
        # Rows on a roof that rises towards the sun never get clear of a sun lower than the roof.
        over_roof = math.tan(math.radians(self.shadow_angle_deg)) - self.rise_to_front
        return max(self.aisle_m, rise_m / max(over_roof, _LEAST_OVER_ROOF))

    def front_tangent(self, height_fraction: float, slant_m: float, facing: int = 0) -> float:
        """
        Tangent of the top of the unit in front, seen from a module square to the rows.

        Parameters
        ----------
        height_fraction : float
            Place on the module: 0 at its lower edge, 1 at its upper.
        slant_m : float
            Depth of the module along its slope. [m]
        facing : int
            Index into ``azimuths_deg``.

        Returns
        -------
        tangent : float
            0 if the unit in front lies lower. [–]

        Notes
        -----
        Rows are taken as endless, so that towards an azimuth off square by ``a`` the tangent is
        this one times cos(a).
        """
        tilt_rad = math.radians(self.tilt_deg)
        pitch_m = self.unit_depth_m(slant_m) + self.gap_m(slant_m)
        # From top to top it is one pitch; the point lies below and in front of its own top.
        back_m = (1.0 - height_fraction) * slant_m
        above_m = back_m * math.sin(tilt_rad)
        above_m += (self.rise_to_front if facing == 0 else -self.rise_to_front) * pitch_m
        away_m = pitch_m - back_m * math.cos(tilt_rad)
        return max(0.0, above_m / away_m) if away_m > 0.0 else 0.0


def square_shadow_angle_deg(noon_deg: float, off_south_deg: float) -> float:
    """
    Height of a southern sun projected square to rows that face another way.

    Parameters
    ----------
    noon_deg : float
        Height of the sun in the south. [°]
    off_south_deg : float
        Angle between the rows' facing and south; beyond 90° the sun is behind them. [°]

    Returns
    -------
    angle_deg : float
        Profile angle, 90 where the sun never shines on the front. [°]
    """
    cos = math.cos(math.radians(off_south_deg))
    if cos <= 1e-9:
        return 90.0
    return math.degrees(math.atan(math.tan(math.radians(noon_deg)) / cos))


def rack_receivers(
    receivers: Receivers,
    racks_of: dict[int, Racks],
    slant_m: float,
    *,
    first_row: int = 0,
    first_col: int = 0,
) -> Receivers:
    """
    Receivers of the modules on racks: at the roof's own points, in the modules' own planes.

    Parameters
    ----------
    receivers : Receivers
        Of the roof planes.
    racks_of : dict of int to Racks
        Racks of the planes that carry any; the key is the plane's ``surface``.
    slant_m : float
        Depth of a module along its slope. [m]
    first_row, first_col : int
        Index of the window's first cell on the raster's lattice: which height a cell stands for
        goes by it, whatever the window.

    Returns
    -------
    Receivers
        One per cell and facing. Surfaces come in the order of ``racks_of``, for each its facings,
        for each facing the heights of :data:`HEIGHT_FRACTIONS`; ``front_tangent`` is set.
    """
    heights = len(HEIGHT_FRACTIONS)
    rows, cols, elevations, surfaces = [], [], [], []
    tilts, azimuths, fronts = [], [], []
    n_surface = 0
    for plane, racks in racks_of.items():
        at = np.flatnonzero(receivers.surface == plane)
        lattice = np.round(receivers.row[at] + receivers.col[at]).astype(np.int64)
        height = (lattice + first_row + first_col) % heights
        rise_m = slant_m * math.sin(math.radians(racks.tilt_deg))
        for facing, azimuth_deg in enumerate(racks.azimuths_deg):
            rows.append(receivers.row[at])
            cols.append(receivers.col[at])
            elevations.append(
                receivers.elevation_m[at] + rise_m * np.take(HEIGHT_FRACTIONS, height)
            )
            surfaces.append(n_surface + height)
            tilts += [racks.tilt_deg] * heights
            azimuths += [azimuth_deg] * heights
            fronts += [racks.front_tangent(share, slant_m, facing) for share in HEIGHT_FRACTIONS]
            n_surface += heights
    return Receivers(
        np.concatenate([*rows, np.zeros(0)]),
        np.concatenate([*cols, np.zeros(0)]),
        np.concatenate([*elevations, np.zeros(0)]),
        np.concatenate([*surfaces, np.zeros(0, dtype=np.int32)]),
        np.array(tilts, dtype=np.float64),
        np.array(azimuths, dtype=np.float64),
        np.array(fronts, dtype=np.float64),
    )
