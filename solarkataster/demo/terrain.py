"""Smooth ground: a few long waves, scaled to the wanted relief."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: Wave length [m], direction [rad] and share of the amplitude of each wave.
_WAVES = ((910.0, 0.62, 1.0), (430.0, 2.05, 0.42), (260.0, 3.9, 0.16), (170.0, 1.2, 0.06))
#: Spacing of the lattice on which the relief is measured. [m]
_LATTICE_M = 5.0


@dataclass(frozen=True)
class Terrain:
    """
    Ground elevation as a sum of plane waves, exact at every point.

    Parameters
    ----------
    waves : ndarray, shape (n_wave, 4)
        Wave numbers towards east and north [rad/m], phase [rad] and amplitude [m].
    mean_elevation_m : float
        Level the waves swing about. [m]
    centre_m : tuple of float
        Easting and northing the phases refer to. [m]
    """

    waves: np.ndarray
    mean_elevation_m: float
    centre_m: tuple[float, float]

    def elevation_m(self, easting_m, northing_m) -> np.ndarray:
        """Ground elevation at points. [m]"""
        east_m = np.asarray(easting_m, dtype=np.float64) - self.centre_m[0]
        north_m = np.asarray(northing_m, dtype=np.float64) - self.centre_m[1]
        elevation_m = np.full(np.broadcast(east_m, north_m).shape, self.mean_elevation_m)
        for k_east, k_north, phase, amplitude_m in self.waves:
            elevation_m += amplitude_m * np.sin(k_east * east_m + k_north * north_m + phase)
        return elevation_m

    def on_axes(self, easting_m: np.ndarray, northing_m: np.ndarray) -> np.ndarray:
        """The same on the lattice of two axes, shape (n_northing, n_easting). [m]"""
        # sin(a + b) = sin a cos b + cos a sin b: two outer products instead of a sine per cell.
        east_m = easting_m - self.centre_m[0]
        north_m = northing_m - self.centre_m[1]
        elevation_m = np.full((north_m.size, east_m.size), self.mean_elevation_m)
        for k_east, k_north, phase, amplitude_m in self.waves:
            along_east = k_east * east_m + phase
            along_north = k_north * north_m
            elevation_m += np.outer(amplitude_m * np.cos(along_north), np.sin(along_east))
            elevation_m += np.outer(amplitude_m * np.sin(along_north), np.cos(along_east))
        return elevation_m


def smooth_terrain(
    rng: np.random.Generator,
    centre_m: tuple[float, float],
    size_m: float,
    relief_m: float,
    lowest_m: float,
    rotation_rad: float = 0.0,
) -> Terrain:
    """
    Terrain whose elevations over the square span ``relief_m`` from ``lowest_m`` upwards.

    Parameters
    ----------
    rng : numpy Generator
        Gives the phases.
    centre_m : tuple of float
        Easting and northing of the square's centre. [m]
    size_m, relief_m, lowest_m : float
        Edge of the square, highest less lowest ground, lowest ground. [m]
    rotation_rad : float
        Turns the whole terrain about the centre, counterclockwise. [rad]
    """
    phases = rng.uniform(0.0, 2.0 * math.pi, len(_WAVES))
    unit = np.array(
        [
            (k * math.cos(direction), k * math.sin(direction), phase, share)
            for (length_m, direction, share), phase in zip(_WAVES, phases, strict=True)
            for k in (2.0 * math.pi / length_m,)
        ]
    )
    axis = np.linspace(-size_m / 2, size_m / 2, max(2, round(size_m / _LATTICE_M) + 1))
    shape = Terrain(unit, 0.0, (0.0, 0.0)).on_axes(axis, axis)
    scale = relief_m / (shape.max() - shape.min())
    waves = unit.copy()
    waves[:, 3] *= scale
    cos, sin = math.cos(rotation_rad), math.sin(rotation_rad)
    waves[:, 0] = unit[:, 0] * cos - unit[:, 1] * sin
    waves[:, 1] = unit[:, 0] * sin + unit[:, 1] * cos
    return Terrain(waves, lowest_m - scale * float(shape.min()), centre_m)
