"""Laser points near a building, and one height a cell from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.grid import Grid


@dataclass(frozen=True)
class Points:
    """
    Laser points in the metres of a projected coordinate system.

    Parameters
    ----------
    easting_m, northing_m, elevation_m : ndarray, shape (n_point,), float64
        Place, and height above the datum. [m]
    classification : ndarray, shape (n_point,), uint8
        ASPRS class: 2 ground, 6 building ...
    return_number, n_returns : ndarray, shape (n_point,), uint8
        Which echo of its pulse, from 1, and how many there were.
    """

    easting_m: np.ndarray
    northing_m: np.ndarray
    elevation_m: np.ndarray
    classification: np.ndarray
    return_number: np.ndarray
    n_returns: np.ndarray

    def __len__(self) -> int:
        return len(self.easting_m)

    def take(self, which: np.ndarray | slice) -> Points:
        """Those points that an index, a slice or a mask names."""
        return Points(
            self.easting_m[which],
            self.northing_m[which],
            self.elevation_m[which],
            self.classification[which],
            self.return_number[which],
            self.n_returns[which],
        )


@dataclass(frozen=True)
class LatticeHeights:
    """
    At most one height a cell, with its true place.

    Parameters
    ----------
    grid : Grid
        Its cells lie on whole multiples of the cell size, for every window alike; its coordinate
        system is an empty text: points know none.
    elevation_m : ndarray, shape (ny, nx), float64
        NaN where no point of a roof or of the ground is. [m]
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), float64
        Where in the cell the height was measured, off its centre; 0 where there is none. [m]
    n_points : ndarray, shape (ny, nx), int32
        Points of roof classes in the cell.
    density_per_m2 : float
        Points of roof classes over the footprint. [m⁻²]
    """

    grid: Grid
    elevation_m: np.ndarray
    offset_east_m: np.ndarray
    offset_north_m: np.ndarray
    n_points: np.ndarray
    density_per_m2: float
