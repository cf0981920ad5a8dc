"""Balcony plants: what a few modules and a small inverter make of the light at a wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from solarkataster.hourly_light import HourlyLight
from solarkataster.pv.inverter_power import PvwattsInverter
from solarkataster.pv.plant import PlantModel, plant_output
from solarkataster.rating.classes import class_names
from solarkataster.weather import Weather

#: Facings at which a plant is worked out; between them the ratio of yield to light is interpolated.
#: It differs by less than 1 % from one to the next. [°]
FACING_STEP_DEG = 30.0

#: A railing lets air pass on both sides of the modules, as a rack does.
MOUNTING = "rack"


@dataclass(frozen=True, eq=False)
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
            NaN without light. [kWh]
        """
        ratio = np.interp(
            surface_azimuth, self.azimuths_deg, self.kwh_per_kwh_m2[tilt], period=360.0
        )
        return ratio * np.asarray(poa_year_kwh_m2, dtype=np.float64)


def balcony_planes(tilts_deg: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """
    Planes whose open light :func:`balcony_plants` asks for.

    Parameters
    ----------
    tilts_deg : tuple of float
        Tilts of the modules. [°]

    Returns
    -------
    surface_tilt, surface_azimuth : ndarray, shape (n_tilt · n_azimuth,)
        Every tilt at every facing, tilt by tilt; facings from true north. [°]
    """
    azimuths = np.arange(0.0, 360.0, FACING_STEP_DEG)
    return np.repeat(tilts_deg, len(azimuths)), np.tile(azimuths, len(tilts_deg))


def balcony_plants(
    light: HourlyLight,
    tilts_deg: tuple[float, ...],
    weather: Weather,
    model: PlantModel,
    *,
    dc_power_w: float,
    inverter: PvwattsInverter,
) -> BalconyPlants:
    """
    Balcony plants at a site, hour by hour, for every facing.

    Parameters
    ----------
    light : HourlyLight, n_tilt · n_azimuth surfaces
        Of the open planes of :func:`balcony_planes`.
    tilts_deg : tuple of float
        Tilts of the modules. [°]
    weather : Weather
    model : PlantModel
        Module, glass and losses are those of every other plant of the run.
    dc_power_w : float
        Rated power of the modules together. [W]
    inverter : PvwattsInverter
        Takes the place of the model's, which is one for a roof.

    Returns
    -------
    BalconyPlants

    Raises
    ------
    InputError
        If the weather has no air temperature or wind.

    Notes
    -----
    As :func:`solarkataster.pv.plant.plant_output` of a rack. Open sky; shadows enter through the
    light that the ratio is multiplied with, so that a plant in shade is cut off by its inverter
    like one in the open. Modules of 880 W lose nothing to an inverter of 800 W, larger ones do.
    """
    surface_tilt, surface_azimuth = balcony_planes(tilts_deg)
    output = plant_output(light, surface_tilt, MOUNTING, weather, replace(model, inverter=inverter))
    ratio = output.performance_ratio.reshape(len(tilts_deg), -1) * (dc_power_w / 1000.0)
    return BalconyPlants(tuple(tilts_deg), surface_azimuth[: ratio.shape[1]], ratio)


def balcony_columns(
    storeys: pd.DataFrame, plants: BalconyPlants | None, limits_kwh: Sequence[float]
) -> pd.DataFrame:
    """
    What plants before storeys yield, and their class.

    Parameters
    ----------
    storeys : DataFrame, n rows
        ``surface_azimuth``, ``poa_global_year_kwh_m2``, ``balcony_tilted_poa_year_kwh_m2``.
    plants : BalconyPlants or None
        Upright ones, then tilted ones; None if no yield can be told.
    limits_kwh : sequence of float
        From which yield on the second, third, … class is reached; rising. [kWh]

    Returns
    -------
    DataFrame, n rows
        ``balcony_upright_kwh``, ``balcony_tilted_kwh``, ``balcony_class`` (of the better one), with
        the index of ``storeys``; NaN and empty where there is no light or no yield can be told.
    """
    upright, tilted = (
        np.full(len(storeys), np.nan)
        if plants is None
        else plants.yield_kwh(i, storeys[light], storeys["surface_azimuth"])
        for i, light in enumerate(("poa_global_year_kwh_m2", "balcony_tilted_poa_year_kwh_m2"))
    )
    return pd.DataFrame(
        {
            "balcony_upright_kwh": upright,
            "balcony_tilted_kwh": tilted,
            "balcony_class": class_names(np.fmax(upright, tilted), limits_kwh),
        },
        index=storeys.index,
    )
