"""What all tiles of a run share when light becomes yield and money."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solarkataster.canopy import Transmissivity
from solarkataster.config import Config
from solarkataster.hourly_light import HourlyLight, SunPath, hourly_light
from solarkataster.hourly_sky import HourlySky, hourly_sky
from solarkataster.irradiance import best_open_wall_year_kwh_m2, best_open_year_kwh_m2, open_light
from solarkataster.load.load_profiles import (
    DEMAND_PROFILES,
    MEASURED,
    LoadProfiles,
    standard_profiles,
)
from solarkataster.money.tariffs import feed_in_limit_kw
from solarkataster.pv.balcony import BalconyPlants, balcony_planes, balcony_plants
from solarkataster.pv.incidence import incidence_table
from solarkataster.pv.inverter_power import PvwattsInverter
from solarkataster.pv.plant import PlantModel, missing_weather, plant_model, plant_output
from solarkataster.pv.uncertainty import common_sigma_fraction
from solarkataster.rules.book import RuleBook
from solarkataster.rules.demand import DemandRules
from solarkataster.rules.facade import FacadeRules
from solarkataster.rules.plant import UncertaintyRules
from solarkataster.sky import sky_sources
from solarkataster.sky_table import SkyTable, sky_table
from solarkataster.units import W_PER_KW, WH_PER_KWH
from solarkataster.visibility import open_record
from solarkataster.weather import Weather

#: Sectors of the sky for open planes, which nothing hides.
_N_SECTOR = 72


@dataclass(frozen=True, eq=False)
class YieldBasis:
    """
    Weather, plant, demand and rules of a run.

    Parameters
    ----------
    config : Config
    book : RuleBook
    weather : Weather
    sky : SkyTable
        Of the roofs; open planes are looked up in it.
    hourly : HourlySky
    plant : PlantModel
    convergence_deg : float
        [°]
    measured_share : ndarray, shape (35040,), or None
        Measured load profile. [–]
    """

    config: Config
    book: RuleBook
    weather: Weather
    sky: SkyTable
    hourly: HourlySky
    plant: PlantModel
    convergence_deg: float
    measured_share: np.ndarray | None = None

    @property
    def demand(self) -> DemandRules:
        """Rules of demand."""
        return self.book.demand

    @property
    def facade(self) -> FacadeRules:
        """Rules of modules on walls."""
        return self.book.facade

    @property
    def uncertainty(self) -> UncertaintyRules:
        """Rules of the band around a yield."""
        return self.book.plant.uncertainty

    @cached_property
    def sigma_common(self) -> float:
        """Standard error that all yields share. [–]"""
        return common_sigma_fraction(self.uncertainty)

    @property
    def transmissivity(self) -> Transmissivity:
        """Of crowns."""
        trees = self.config.trees
        return Transmissivity(trees.deciduous_transmissivity, trees.evergreen_transmissivity)

    @property
    def module_area_m2(self) -> float:
        """Of one module. [m²]"""
        return self.config.layout.module_length_m * self.config.layout.module_width_m

    @property
    def module_kwp(self) -> float:
        """Rated power of one module. [kWp]"""
        return self.config.layout.module_power_wp / W_PER_KW

    @property
    def keeps_hours(self) -> bool:
        """Whether buildings' yields are kept by hour."""
        return self.config.yields.hourly

    @cached_property
    def profiles(self) -> LoadProfiles:
        """Standard load profiles, and the measured one if there is one."""
        calendar = self.demand.calendar
        standard = standard_profiles(
            DEMAND_PROFILES, self.weather.times, calendar.year, calendar.state
        )
        if self.measured_share is None:
            return standard
        return standard.with_rows({MEASURED: self.measured_share})

    @property
    def has_measured(self) -> bool:
        """Whether a measured load profile is given."""
        return self.measured_share is not None

    @cached_property
    def best_roof_kwh_m2(self) -> float:
        """What the best open plane gets in a year. [kWh/m²]"""
        return best_open_year_kwh_m2(self.sky, self.config.irradiation.albedo)

    @cached_property
    def best_wall_kwh_m2(self) -> float:
        """What the best open wall gets in a year. [kWh/m²]"""
        return best_open_wall_year_kwh_m2(self.sky, self.config.irradiation.albedo)

    @cached_property
    def _suns(self) -> dict[int, SunPath]:
        return {}

    def suns(self, n_sector: int) -> SunPath:
        """Suns of the year in records of so many sectors."""
        if n_sector not in self._suns:
            self._suns[n_sector] = SunPath(self.hourly, n_sector, self.convergence_deg)
        return self._suns[n_sector]

    def open_year_kwh_m2(self, surface_tilt: np.ndarray, surface_azimuth: np.ndarray) -> np.ndarray:
        """Light of open planes in a year, azimuths from true north, (n,). [kWh/m²]"""
        light = open_light(
            self.sky,
            surface_tilt,
            surface_azimuth - self.convergence_deg,
            self.config.irradiation.albedo,
        )
        return light.poa_global_year_kwh_m2

    def open_hours(self, surface_tilt: np.ndarray, surface_azimuth: np.ndarray) -> HourlyLight:
        """Light of open planes hour by hour, azimuths from true north, (n,)."""
        record = open_record(
            surface_tilt, surface_azimuth - self.convergence_deg, _N_SECTOR, self.convergence_deg
        )
        below = (1.0 - np.cos(np.radians(surface_tilt))) / 2.0
        ghi = np.bincount(self.hourly.month, self.hourly.ghi, 12) / WH_PER_KWH
        return hourly_light(
            self.suns(_N_SECTOR),
            record,
            self.config.irradiation.albedo * below[:, None] * ghi,
            iam=incidence_table(self.plant.glass),
        )

    @cached_property
    def canopy_yield_kwh_per_kwp(self) -> float:
        """Yield of an open canopy of a car park towards the noon sun; NaN if none can be told."""
        if missing_weather(self.weather):
            return float("nan")
        tilt = np.array([self.book.rating.car_parks.tilt_deg])
        noon = np.array([180.0 if self.weather.latitude >= 0.0 else 0.0])
        light = self.open_hours(tilt, noon)
        output = plant_output(light, tilt, "rack", self.weather, self.plant)
        return float(output.specific_yield_kwh_per_kwp[0])

    @cached_property
    def balcony_plants(self) -> BalconyPlants | None:
        """Upright and tilted plants before open walls; None if no yield can be told."""
        if missing_weather(self.weather):
            return None
        walls = self.config.walls
        tilts_deg = (90.0, walls.balcony_tilt_deg)
        dc_power_w = walls.balcony_modules * self.config.layout.module_power_wp
        return balcony_plants(
            self.open_hours(*balcony_planes(tilts_deg)),
            tilts_deg,
            self.weather,
            self.plant,
            dc_power_w=dc_power_w,
            inverter=PvwattsInverter(
                self.book.plant.inverter.efficiency_nominal_fraction,
                dc_power_w / walls.balcony_inverter_w,
            ),
        )

    def feed_in_limit_kw(self, power_kwp: np.ndarray) -> np.ndarray:
        """Most that plants may feed in, (n,). [kW]"""
        return feed_in_limit_kw(np.nan_to_num(power_kwp), self.book.eeg, self.book.money)


def yield_basis(
    config: Config,
    book: RuleBook,
    weather: Weather,
    convergence_deg: float,
    measured_share: np.ndarray | None = None,
) -> YieldBasis:
    """
    Prepare what all tiles share.

    Parameters
    ----------
    config : Config
    book : RuleBook
    weather : Weather
    convergence_deg : float
        True azimuth less grid azimuth. [°]
    measured_share : ndarray, shape (35040,), optional
        Measured load profile.

    Returns
    -------
    YieldBasis

    Raises
    ------
    InputError
        If the rules do not fit: unknown module, unknown profile, a date without tariffs.
    """
    model = config.irradiation.sky
    book.eeg.at(book.money.commissioning.day)  # before any work
    return YieldBasis(
        config=config,
        book=book,
        weather=weather,
        sky=sky_table(sky_sources(weather, model), convergence_deg, config.horizon.n_azimuth),
        hourly=hourly_sky(weather, model),
        plant=plant_model(book.plant),
        convergence_deg=convergence_deg,
        measured_share=measured_share,
    )
