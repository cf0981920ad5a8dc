"""Balcony plants: what two modules and a small inverter make of the light at a wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib

from solarkataster.sun import sun_position
from solarkataster.weather import Weather

#: Facings at which a plant is worked out; between them the ratio of yield to light is interpolated.
#: It differs by less than 3 % from one to the next. [°]
FACING_STEP_DEG = 30.0

#: Power lost per degree over 25 °C, as of common silicon modules (PVWatts 5: −0.35 %/K "premium").
GAMMA_PDC = -0.0035

#: Losses of PVWatts version 5 (Dobos 2014, NREL/TP-6A20-62641) in percent, but for shading, which
#: the light at the wall has lost already.
LOSSES = {
    "soiling": 2.0, "shading": 0.0, "snow": 0.0, "mismatch": 2.0, "wiring": 2.0, "connections": 0.5,
    "lid": 1.5, "nameplate_rating": 1.0, "age": 0.0, "availability": 3.0,
}  # fmt: skip


@dataclass(frozen=True)
class BalconyPlants:
    """
    Yield of a balcony plant per light on its modules, by facing.

    Parameters
    ----------
    tilts_deg : tuple of float
        [°]
    azimuths_deg : ndarray, shape (n_azimuth,)
        Clockwise from true north, rising from 0. [°]
    kwh_per_kwh_m2 : ndarray, shape (n_tilt, n_azimuth)
        Alternating current of a year ÷ irradiation of the year on its modules. [kWh/(kWh/m²)]
    """

    tilts_deg: tuple[float, ...]
    azimuths_deg: np.ndarray
    kwh_per_kwh_m2: np.ndarray

    def yield_kwh(self, tilt: int, poa_year_kwh_m2, surface_azimuth) -> np.ndarray:
        """
        A year's yield of plants.

        Parameters
        ----------
        tilt : int
            Which of ``tilts_deg``.
        poa_year_kwh_m2, surface_azimuth : array_like, shape (n,)
            Light on the modules [kWh/m²]; facing, clockwise from true north [°].

        Returns
        -------
        yield_kwh : ndarray, shape (n,)
            [kWh]
        """
        ratio = np.interp(
            surface_azimuth, self.azimuths_deg, self.kwh_per_kwh_m2[tilt], period=360.0
        )
        return ratio * np.asarray(poa_year_kwh_m2, dtype=np.float64)


def balcony_plants(
    weather: Weather, tilts_deg: tuple[float, ...], dc_power_w: float, inverter_w: float
) -> BalconyPlants:
    """
    Balcony plants at a site, hour by hour with pvlib, for every facing.

    Parameters
    ----------
    weather : Weather
    tilts_deg : tuple of float
        Tilts of the modules. [°]
    dc_power_w : float
        Rated power of the modules together. [W]
    inverter_w : float
        Output the inverter may reach. [W]

    Returns
    -------
    BalconyPlants

    Notes
    -----
    Open sky; shadows enter through the light that the ratio is multiplied with. PVWatts' module and
    inverter [1]_, glass by the physical model of incidence (of diffuse light by Marion 2017), cells
    by SAPM on an open rack. Without air temperature or wind in the weather file the cells are taken
    at 25 °C.

    References
    ----------
    .. [1] A. P. Dobos, "PVWatts Version 5 Manual," NREL/TP-6A20-62641, 2014.
    """
    middle = weather.times + pd.Timedelta(minutes=30)
    sun = sun_position(middle, weather.latitude, weather.longitude, weather.elevation_m)
    zenith = 90.0 - sun.elevation_deg
    cos_zenith = np.maximum(np.cos(np.radians(zenith)), 0.087)  # under 5° beam is not told from bhi
    dni = np.minimum(weather.bhi / cos_zenith, sun.dni_extra)
    azimuths = np.arange(0.0, 360.0, FACING_STEP_DEG)
    ratio = np.zeros((len(tilts_deg), len(azimuths)))
    for i, tilt in enumerate(tilts_deg):
        diffuse = pvlib.iam.marion_diffuse("physical", tilt)
        for j, azimuth in enumerate(azimuths):
            poa = pvlib.irradiance.get_total_irradiance(
                tilt, azimuth, zenith, sun.azimuth_deg, dni, weather.ghi, weather.dhi,
                dni_extra=sun.dni_extra, model="perez",
                airmass=pvlib.atmosphere.get_relative_airmass(zenith),
            )  # fmt: skip
            poa = {name: np.nan_to_num(np.asarray(part)) for name, part in poa.items()}
            aoi = pvlib.irradiance.aoi(tilt, azimuth, zenith, sun.azimuth_deg)
            taken = (
                poa["poa_direct"] * pvlib.iam.physical(aoi)
                + poa["poa_sky_diffuse"] * diffuse["sky"]
                + poa["poa_ground_diffuse"] * diffuse["ground"]
            )
            ac_w = _ac_w(taken, poa["poa_global"], weather, dc_power_w, inverter_w)
            ratio[i, j] = ac_w.sum() / poa["poa_global"].sum()
    return BalconyPlants(tuple(tilts_deg), azimuths, ratio)


def _ac_w(taken, poa_global, weather: Weather, dc_power_w: float, inverter_w: float) -> np.ndarray:
    """Output by hour. [W]"""
    temp_cell = np.full(len(taken), 25.0)
    if weather.temp_air is not None and weather.wind_speed is not None:
        mounting = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
        temp_cell = pvlib.temperature.sapm_cell(
            poa_global, weather.temp_air, weather.wind_speed, **mounting
        )
    dc_w = pvlib.pvsystem.pvwatts_dc(taken, temp_cell, dc_power_w, GAMMA_PDC)
    dc_w = dc_w * (1.0 - pvlib.pvsystem.pvwatts_losses(**LOSSES) / 100.0)
    eta = 0.96  # of PVWatts
    return pvlib.inverter.pvwatts(dc_w, inverter_w / eta, eta)
