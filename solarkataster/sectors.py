"""Sectors of the sky as tilted surfaces see them, and the light of each above a skyline."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from solarkataster.kernels import light as kernel
from solarkataster.sky_table import N_LANE, N_STEP, SkyTable


@dataclass(frozen=True)
class Sector:
    """One sector of the sky as the surfaces at hand see it."""

    slices: np.ndarray
    own: np.ndarray
    low: np.ndarray
    high: np.ndarray
    facing: np.ndarray
    open_light: np.ndarray


class Surfaces:
    """Unit normals of the receivers' surfaces, in single precision for the kernels."""

    def __init__(self, surface_tilt, grid_azimuth, front_tangent=0.0) -> None:
        self.grid_azimuth = np.asarray(grid_azimuth, dtype=np.float64)
        self.front_tangent = np.broadcast_to(front_tangent, self.grid_azimuth.shape)
        tilt = np.radians(np.asarray(surface_tilt, dtype=np.float64))
        azimuth = np.radians(np.asarray(grid_azimuth, dtype=np.float64))
        self.east = (np.sin(tilt) * np.sin(azimuth)).astype(np.float32)
        self.north = (np.sin(tilt) * np.cos(azimuth)).astype(np.float32)
        self.up = np.maximum(np.cos(tilt), 0.0).astype(np.float32)
        self.up[self.up < 1e-7] = 0.0  # a wall; 90° has no exact cosine

    def sector(self, sky: SkyTable, i: int) -> Sector:
        n = self.east.size
        slices = sky.sums[i]
        edges_rad = np.radians(sky.slice_edges_deg[i])
        low, high = np.empty(n, np.int32), np.empty(n, np.int32)
        own = np.empty((n, slices.shape[0] - 1), np.int32)
        kernel.own_horizon(self.east, self.north, self.up, edges_rad, N_STEP, low, high, own)
        # ∫ of the level direction over the sector; half of it because both halves of a plane's
        # horizon together hold 2.
        east, north = math.cos(edges_rad[0]) - math.cos(edges_rad[-1]), math.sin(edges_rad[-1])
        north -= math.sin(edges_rad[0])
        facing = np.maximum(0.0, self.east * east + self.north * north).astype(np.float32) / 2
        out = np.empty((n, N_LANE), np.float32)
        kernel.unshaded(self.east, self.north, self.up, slices, own, facing, out)
        return Sector(slices, own, low, high, facing, out)

    def under_other_light(self, at: Sector, slices: np.ndarray) -> Sector:
        """The same sector with another table of light."""
        out = np.empty_like(at.open_light)
        kernel.unshaded(self.east, self.north, self.up, slices, at.own, at.facing, out)
        return replace(at, slices=slices, open_light=out)

    def add(self, tangent, surface, at: Sector, band_share, to, sign: float = 1.0) -> None:
        """
        Add a sector's light above a tangent each to the sums of receivers, or take it away.

        Parameters
        ----------
        tangent : ndarray, shape (n,), float32
            inf for no light.
        surface : ndarray, shape (n,), int32
        at : Sector
        band_share : ndarray, shape (N_STEP + 1,), float32
        to : ndarray, shape (n, N_LANE), float32
            Changed in place.
        sign : float
            1 or -1.
        """
        kernel.add_sector(
            tangent, surface, self.east, self.north, self.up, at.slices, at.own, at.low, at.high,
            at.open_light, at.facing, band_share, np.float32(sign), to,
        )  # fmt: skip

    def least_tangent(self, at: Sector, azimuth_deg: float) -> np.ndarray:
        """Tangent below which no skyline matters: the own plane's, or the edge in front."""
        with np.errstate(divide="ignore"):
            own = at.low / (N_STEP - at.low.astype(np.float64))
        front = self.front_tangent * np.cos(np.radians(azimuth_deg - self.grid_azimuth))
        return np.maximum(own, front).astype(np.float32)

    def top_share(self, sky: SkyTable, i: int) -> np.ndarray:
        """
        Part of its square-on tangent at which each surface sees the edge above it in a sector.

        The cosine of the azimuth off the facing, as the light on a wall weighs it: its mean over
        what of the sector lies in front; inf where nothing does.
        """
        edges = np.radians(sky.slice_edges_deg[i][[0, -1]])
        off = np.radians(sky.azimuths_deg[i] - self.grid_azimuth)
        off -= 2.0 * np.pi * np.round(off / (2.0 * np.pi))
        half = (edges[1] - edges[0]) / 2.0
        begin, end = np.clip([off - half, off + half], -np.pi / 2, np.pi / 2)
        weight = np.sin(end) - np.sin(begin)  # ∫ cos
        weighed = (end - begin) / 2 + (np.sin(2 * end) - np.sin(2 * begin)) / 4  # ∫ cos²
        in_front = end - begin > 1e-6
        share = np.where(in_front, weighed / np.where(in_front, weight, 1.0), np.inf)
        return share.astype(np.float32)
