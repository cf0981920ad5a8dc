"""What pvlib gives endless rows of modules on a level roof, row shading included."""

from __future__ import annotations

import numpy as np
import pvlib


def shaded_fraction(tilt_deg, azimuth_deg, slant_m, pitch_m, zenith, solar_azimuth):
    """Share of a row in the shadow of the row in front: pvlib.shading.shaded_fraction1d."""
    return pvlib.shading.shaded_fraction1d(
        zenith, solar_azimuth, azimuth_deg - 90.0, tilt_deg,
        collector_width=slant_m, pitch=pitch_m,
    )  # fmt: skip


def rows_year_kwh_m2(sources, tilt_deg, azimuth_deg, slant_m, pitch_m, albedo):
    """
    Year's light of a row among many, averaged over its modules. [kWh/m²]

    Beam and circumsolar light with shaded_fraction1d, the dome and the ground with the view factor
    that infinite sheds integrate over the row.
    """
    zenith = 90.0 - sources.solar_elevation_deg
    sun_azimuth = sources.solar_azimuth_deg
    cosine = pvlib.irradiance.aoi_projection(tilt_deg, azimuth_deg, zenith, sun_azimuth)
    shaded = shaded_fraction(tilt_deg, azimuth_deg, slant_m, pitch_m, zenith, sun_azimuth)
    sun = (sources.beam_kwh_m2 + sources.circumsolar_kwh_m2) * np.maximum(cosine, 0.0)
    view = pvlib.bifacial.utils.vf_row_sky_2d_integ(tilt_deg, slant_m / pitch_m, x0=0.0, x1=1.0)
    return (
        (sun * (1.0 - shaded)).sum()
        + sources.dome_kwh_m2.sum() * view
        + albedo * sources.ghi_kwh_m2.sum() * (1.0 - view)
    )
