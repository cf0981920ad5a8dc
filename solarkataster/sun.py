"""Where the sun stands: the one place that asks pvlib for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pvlib


@dataclass(frozen=True)
class SunPosition:
    """
    The sun at some instants, seen from one place.

    Attributes
    ----------
    elevation_deg : ndarray, shape (n_time,)
        Above the horizontal, raised by refraction: where the sun is seen. [°]
    azimuth_deg : ndarray, shape (n_time,)
        Clockwise from true north. [°]
    hour_angle_deg : ndarray, shape (n_time,)
        0 at true solar noon, positive in the afternoon. [°]
    dni_extra : ndarray, shape (n_time,)
        Extraterrestrial light normal to the sun. [Wm⁻²]
    """

    elevation_deg: np.ndarray
    azimuth_deg: np.ndarray
    hour_angle_deg: np.ndarray
    dni_extra: np.ndarray

    @property
    def cos_zenith(self) -> np.ndarray:
        """Cosine of the zenith angle, 0 while the sun is down, shape (n_time,). [–]"""
        return np.maximum(np.sin(np.radians(self.elevation_deg)), 0.0)

    def at(self, which: np.ndarray | slice) -> SunPosition:
        """The sun at some of the instants, in arrays of its own."""
        return SunPosition(
            self.elevation_deg[which].copy(),
            self.azimuth_deg[which].copy(),
            self.hour_angle_deg[which].copy(),
            self.dni_extra[which].copy(),
        )


def sun_position(
    times: pd.DatetimeIndex, latitude: float, longitude: float, elevation_m: float
) -> SunPosition:
    """
    Position of the sun at the given instants.

    Parameters
    ----------
    times : DatetimeIndex, length n_time
        Instants, timezone-aware.
    latitude, longitude : float
        WGS 84, north and east positive. [°]
    elevation_m : float
        Height above sea level; sets the air pressure of the refraction. [m]

    Returns
    -------
    SunPosition

    Notes
    -----
    The solar position algorithm of [1]_ as pvlib has it, refraction included: the position in
    which shadows fall, and the one pvlib asks for in its Perez models ("apparent zenith").
    Extraterrestrial light follows Spencer's series (pvlib's default).

    References
    ----------
    .. [1] I. Reda and A. Andreas, "Solar position algorithm for solar radiation applications,"
       Solar Energy, vol. 76, no. 5, pp. 577-589, 2004, doi:10.1016/j.solener.2003.12.003.
    """
    # A run asks for the same year several times, and each time would take half a second.
    sun = _sun_position(
        times.asi8.tobytes(), times.unit, times.tz, latitude, longitude, elevation_m
    )
    # Copies, so that nobody's change of an array is another's sun.
    return sun.at(slice(None))


@lru_cache(maxsize=4)
def _sun_position(
    instants: bytes, unit: str, zone, latitude: float, longitude: float, elevation_m: float
) -> SunPosition:
    """The same, of instants that can be looked up."""
    times = pd.DatetimeIndex(np.frombuffer(instants, dtype=f"M8[{unit}]"))
    times = times.tz_localize("UTC").tz_convert(zone)
    sun = pvlib.solarposition.get_solarposition(
        times, latitude, longitude, altitude=elevation_m, method="nrel_numpy"
    )
    # From the clock in UTC, because a day of the time zone need not hold one solar noon.
    utc = times.tz_convert("UTC")
    clock_h = (utc - utc.normalize()) / pd.Timedelta(hours=1)
    solar_h = np.asarray(clock_h) + longitude / 15.0 + sun["equation_of_time"].to_numpy() / 60.0
    return SunPosition(
        elevation_deg=sun["apparent_elevation"].to_numpy(),
        azimuth_deg=sun["azimuth"].to_numpy(),
        hour_angle_deg=(15.0 * (solar_h - 12.0) + 180.0) % 360.0 - 180.0,
        dni_extra=pvlib.irradiance.get_extra_radiation(times).to_numpy(),
    )
