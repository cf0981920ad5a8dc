"""What pvlib gives endless rows of modules, on a level or a sloping roof, row shading included."""

from __future__ import annotations

import numpy as np
import pvlib


def shaded_fraction(
    tilt_deg, azimuth_deg, slant_m, pitch_m, zenith, solar_azimuth, roof_rise_deg=0.0
):
    """
    Share of a row in the shadow of the row in front: pvlib.shading.shaded_fraction1d.

    A roof that rises to the front by ``roof_rise_deg`` puts that row higher.
    """
    return pvlib.shading.shaded_fraction1d(
        zenith, solar_azimuth, azimuth_deg - 90.0, tilt_deg,
        collector_width=slant_m, pitch=pitch_m, cross_axis_slope=-roof_rise_deg,
    )  # fmt: skip


def sky_view(tilt_deg, slant_m, pitch_m, roof_rise_deg=0.0):
    """
    Share of an even sky over a row, averaged over its modules.

    On a level roof that of pvlib.bifacial.utils.vf_row_sky_2d_integ. It knows no slopes: there the
    sky between the edge in front and the module's own plane, (1 + cos(tilt + edge)) / 2.
    """
    if roof_rise_deg == 0.0:
        return pvlib.bifacial.utils.vf_row_sky_2d_integ(tilt_deg, slant_m / pitch_m, x0=0.0, x1=1.0)
    tilt, rise = np.radians(tilt_deg), np.tan(np.radians(roof_rise_deg))
    along_m = (np.arange(2000) + 0.5) / 2000 * slant_m
    x, z = -along_m * np.cos(tilt), along_m * np.sin(tilt)
    edge_x = pitch_m - slant_m * np.cos(tilt)
    edge_z = rise * pitch_m + slant_m * np.sin(tilt)
    edge = np.arctan(np.maximum(0.0, (edge_z - z) / (edge_x - x)))
    return float(np.mean((1.0 + np.cos(tilt + edge)) / 2.0))


def rows_year_kwh_m2(sources, tilt_deg, azimuth_deg, slant_m, pitch_m, albedo, roof_rise_deg=0.0):
    """
    Year's light of a row among many, averaged over its modules. [kWh/m²]

    Beam and circumsolar light less :func:`shaded_fraction`, dome and ground by :func:`sky_view`.
    """
    zenith = 90.0 - sources.solar_elevation_deg
    sun_azimuth = sources.solar_azimuth_deg
    cosine = pvlib.irradiance.aoi_projection(tilt_deg, azimuth_deg, zenith, sun_azimuth)
    shaded = shaded_fraction(
        tilt_deg, azimuth_deg, slant_m, pitch_m, zenith, sun_azimuth, roof_rise_deg
    )
    sun = (sources.beam_kwh_m2 + sources.circumsolar_kwh_m2) * np.maximum(cosine, 0.0)
    view = sky_view(tilt_deg, slant_m, pitch_m, roof_rise_deg)
    return (
        (sun * (1.0 - shaded)).sum()
        + sources.dome_kwh_m2.sum() * view
        + albedo * sources.ghi_kwh_m2.sum() * (1.0 - view)
    )
