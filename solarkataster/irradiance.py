"""Skyline × sky table → irradiation of receivers by month and part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solarkataster.canopy import Canopy, Transmissivity
from solarkataster.canopy_light import CrownLight
from solarkataster.horizon import N_NEAR, faces, quadrant_of
from solarkataster.kernels import light as kernel
from solarkataster.receivers import Receivers
from solarkataster.sectors import Surfaces
from solarkataster.sky_table import N_LANE, SkyTable
from solarkataster.visibility import VISIBLE, SkyRecorder


@dataclass(frozen=True)
class Light:
    """
    What receivers get in a year.

    Parameters
    ----------
    poa_global_month_kwh_m2 : ndarray, shape (n, 12)
        Global irradiation in the receiver's plane. [kWh/m²]
    poa_direct_year_kwh_m2, poa_sky_diffuse_year_kwh_m2, poa_ground_diffuse_year_kwh_m2 : (n,)
        Its parts as pvlib books them: disc; sky with circumsolar light; ground. [kWh/m²]
    sky_view_factor : ndarray, shape (n,)
        Cosine-weighted share of the hemisphere over the surface that is visible sky. [–]
    ground_view_factor : ndarray, shape (n,)
        The same of what sends light back: neither sky nor hidden by an edge above. [–]
    poa_ground_diffuse_month_kwh_m2 : ndarray, shape (n, 12), float32
        Light from the ground by month. [kWh/m²]

    Notes
    -----
    The ground sends back albedo × global light × what of the hemisphere is neither sky nor hidden
    by an edge above (``Receivers.top_tangent``): the underside of eaves reflects nothing.
    """

    poa_global_month_kwh_m2: np.ndarray
    poa_direct_year_kwh_m2: np.ndarray
    poa_sky_diffuse_year_kwh_m2: np.ndarray
    poa_ground_diffuse_year_kwh_m2: np.ndarray
    sky_view_factor: np.ndarray
    ground_view_factor: np.ndarray
    poa_ground_diffuse_month_kwh_m2: np.ndarray

    @property
    def poa_global_year_kwh_m2(self) -> np.ndarray:
        """Sum of the months, (n,). [kWh/m²]"""
        return self.poa_global_month_kwh_m2.sum(axis=1)

    def part(self, which: slice | np.ndarray) -> Light:
        """The light of some of the receivers."""
        return Light(
            self.poa_global_month_kwh_m2[which],
            self.poa_direct_year_kwh_m2[which],
            self.poa_sky_diffuse_year_kwh_m2[which],
            self.poa_ground_diffuse_year_kwh_m2[which],
            self.sky_view_factor[which],
            self.ground_view_factor[which],
            self.poa_ground_diffuse_month_kwh_m2[which],
        )


def light(
    surface_m: np.ndarray,
    cell_size_m: float,
    receivers: Receivers,
    sky: SkyTable,
    *,
    reach_m: float = 500.0,
    first_row: int = 0,
    first_col: int = 0,
    albedo: float = 0.2,
    n_near: int = N_NEAR,
    progress: Callable[[int, int], None] | None = None,
    canopy: Canopy | None = None,
    transmissivity: Transmissivity | None = None,
    recorder: SkyRecorder | None = None,
) -> Light:
    """
    Irradiation of receivers under the skyline that a surface model gives them.

    Azimuths outside, receivers inside: the horizon of one azimuth is used and dropped, so memory
    does not grow with the number of azimuths.

    Sky above ``receivers.top_tangent`` is hidden: sun, circumsolar light, dome and band, and the
    sky view factor. What hides it sends nothing back.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        Surface height; NaN never blocks a ray. [m]
    cell_size_m : float
        Edge of one cell. [m]
    receivers : Receivers
        Points in cells of ``surface_m``, heights in its datum.
    sky : SkyTable
        Light of the year; its azimuths are the ones looked at.
    reach_m : float
        Obstacles nearer than this are always seen. [m]
    first_row, first_col : int
        Index of the window's first cell on the raster's lattice.
    albedo : float
        Share of global horizontal irradiation that what lies below the horizon sends back. [–]
    n_near : int
        Crossings marched exactly.
    progress : callable, optional
        Called with azimuths done and azimuths in all.
    canopy : Canopy, optional
        Crowns over ``surface_m``, which then holds what is solid; see
        :class:`solarkataster.canopy_light.CrownLight`. What crowns hide counts as sending light
        back, as what is solid does, each in the mean of its year.
    transmissivity : Transmissivity, optional
        Of the crowns; by default its own.
    recorder : SkyRecorder, optional
        Made for the same receivers and as many sectors; keeps what their surfaces see of the sky.

    Returns
    -------
    Light
        In the receivers' order.
    """
    surfaces = Surfaces(receivers.surface_tilt, receivers.grid_azimuth, receivers.front_tangent)
    n = len(receivers)
    sums = np.zeros((n, N_LANE), dtype=np.float32)
    with np.errstate(over="ignore"):  # so high that it hides nothing
        top_tangent = receivers.top_tangent.astype(np.float32)
    has_top = bool((top_tangent < np.inf).any())
    # H = n · Σ (T[h] − T[h_top]): what lies above the skylines, and above the edges over them.
    hidden = np.zeros((n if has_top else 0, N_LANE), dtype=np.float32)
    crowns = None
    if canopy is not None and canopy.is_crown.any():
        crowns = CrownLight(
            surface_m, cell_size_m, receivers, surfaces, sky, canopy,
            transmissivity or Transmissivity(), n_near,
        )  # fmt: skip
    crown_faces = iter(()) if crowns is None else crowns.faces(reach_m, first_row, first_col)
    done = 0
    for face, directions in faces(
        surface_m, cell_size_m, receivers.row, receivers.col, receivers.elevation_m,
        sky.azimuths_deg, reach_m=reach_m, first_row=first_row, first_col=first_col, n_near=n_near,
    ):  # fmt: skip
        of_face = np.zeros((n, N_LANE), dtype=np.float32)
        surface = receivers.surface[face.order]
        top = top_tangent[face.order] if has_top else top_tangent[:0]
        limit, hidden_of_face = np.empty_like(top), np.zeros_like(hidden)
        if crowns is not None:
            group = next(crown_faces)
            crowns.begin(face)
        for i, deviation_deg in directions:
            at = surfaces.sector(sky, i)
            solid = surfaces.least_tangent(at, sky.azimuths_deg[i])[surface]
            face.tangents(deviation_deg, solid)
            tangent = solid.copy() if has_top and crowns is not None else solid
            if has_top:
                kernel.limit_above(top, surfaces.top_share(sky, i), surface, tangent, limit)
                surfaces.add(limit, surface, at, sky.band_share, hidden_of_face)
            surfaces.add(tangent, surface, at, sky.band_share, of_face)
            if recorder is not None:
                recorder.add(VISIBLE, face.order, surface, at.low, tangent, limit)
            if crowns is not None:
                quadrant = quadrant_of(sky.azimuths_deg[i])[0]
                crowns.add(group, quadrant, deviation_deg, i, at, surface, solid, limit, recorder)
            if recorder is not None:
                recorder.close(i)
            done += 1
            if progress is not None:
                progress(done, len(sky.azimuths_deg))
        kernel.gather(face.order, of_face, sums)
        if has_top:
            kernel.gather(face.order, hidden_of_face, hidden)
        if crowns is not None:
            crowns.end(face)
    if has_top:
        kernel.take_away(hidden, sums)
    if crowns is not None:
        crowns.take_from(sums)
    return _light_of(sums, sky, albedo)


def open_light(
    sky: SkyTable, surface_tilt, grid_azimuth, albedo: float = 0.2, *, front_tangent=0.0
) -> Light:
    """
    Irradiation of planes with an open horizon.

    Parameters
    ----------
    sky : SkyTable
    surface_tilt, grid_azimuth : array_like, shape (n,)
        Tilt, and facing clockwise from grid north. [°]
    albedo : float
        As in :func:`light`. [–]
    front_tangent : array_like, shape (n,)
        Edge in front of each plane, as in :class:`solarkataster.receivers.Receivers`. [–]

    Returns
    -------
    Light
    """
    surfaces = Surfaces(np.atleast_1d(surface_tilt), np.atleast_1d(grid_azimuth), front_tangent)
    n = surfaces.east.size
    own = np.arange(n, dtype=np.int32)
    sums = np.zeros((n, N_LANE), dtype=np.float32)
    for quadrant in range(4):
        # Summed in the order of `light`, so that an open receiver gets the same but for rounding.
        of_face = np.zeros_like(sums)
        for i, azimuth_deg in enumerate(sky.azimuths_deg):
            if quadrant_of(azimuth_deg)[0] == quadrant:
                at = surfaces.sector(sky, i)
                tangent = surfaces.least_tangent(at, azimuth_deg)
                surfaces.add(tangent, own, at, sky.band_share, of_face)
        sums += of_face
    return _light_of(sums, sky, albedo)


def best_open_year_kwh_m2(sky: SkyTable, albedo: float = 0.2) -> float:
    """
    Year's irradiation of the best open plane: what a roof at this site could get at most.

    Parameters
    ----------
    sky : SkyTable
    albedo : float
        As in :func:`light`. [–]

    Returns
    -------
    best : float
        Best of all facings and tilts up to 60°, to a degree. [kWh/m²]
    """
    tilts, azimuths = np.arange(0.0, 61.0, 5.0), np.arange(0.0, 360.0, 10.0)
    for step_deg in (5.0, 1.0):
        tilt, azimuth = (axis.ravel() for axis in np.meshgrid(tilts, azimuths))
        year = open_light(sky, tilt, azimuth % 360.0, albedo).poa_global_year_kwh_m2
        at = int(np.argmax(year))
        aside = np.arange(-step_deg, step_deg + 0.5)
        tilts, azimuths = np.clip(tilt[at] + aside, 0.0, 90.0), azimuth[at] + 2.0 * aside
    return float(year[at])


def best_open_wall_year_kwh_m2(sky: SkyTable, albedo: float = 0.2) -> float:
    """
    Year's irradiation of the best open vertical plane: what a wall at this site could get at most.

    Parameters
    ----------
    sky : SkyTable
    albedo : float
        As in :func:`light`. [–]

    Returns
    -------
    best : float
        Best of all facings, to a degree. [kWh/m²]
    """
    azimuths = np.arange(360.0)
    walls = open_light(sky, np.full(azimuths.size, 90.0), azimuths, albedo)
    return float(walls.poa_global_year_kwh_m2.max())


def _light_of(sums: np.ndarray, sky: SkyTable, albedo: float) -> Light:
    """Sums by lane → irradiation by month and part."""
    n = len(sums)
    months = np.empty((n, 12))
    direct, from_sky, ground, view, below = np.empty((5, n))
    kernel.split(
        sums, sky.band_kwh_m2, sky.ghi_kwh_m2, albedo, months, direct, from_sky, ground, view, below
    )
    of_months = (sky.ghi_kwh_m2 / max(sky.ghi_kwh_m2.sum(), 1e-9)).astype(np.float32)
    ground_months = ground.astype(np.float32)[:, None] * of_months
    return Light(months, direct, from_sky, ground, view, below, ground_months)
