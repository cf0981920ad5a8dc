"""A free-standing plant through pvlib's own ModelChain, and the shipped rules with changes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
from pvlib.modelchain import ModelChain
from pvlib.pvsystem import Array, FixedMount, PVSystem

import solarkataster.rules.plant
from solarkataster.pv.plant import PlantModel
from solarkataster.rules.plant import PlantRules
from solarkataster.weather import Weather

#: Of pvlib's bundled files.
CEC_NAMES = ("Hanwha_Q_CELLS_Q_PEAK_DUO_G5_325", "SMA_America__SB5_0_1SP_US_40__240V_")

RULES_FILE = Path(solarkataster.rules.plant.__file__).with_suffix(".toml")

#: Where a word of :func:`shipped_plant` stands in the rule file.
_PLACES = {
    "module": ("module", "name"),
    "inverter": ("inverter", "name"),
    "dc_ac_ratio": ("inverter", "dc_ac_ratio"),
    "modules_per_string": ("inverter", "modules_per_string"),
    "diffuse": ("incidence", "diffuse"),
    "method": ("shading_mismatch", "method"),
    "total_blocks": ("shading_mismatch", "total_blocks"),
    "snow": ("snow", "month_fraction"),
}


def shipped_plant(**changes) -> PlantRules:
    """The shipped rules with some values changed."""
    raw = tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))
    for word, value in changes.items():
        table, key = _PLACES[word]
        raw[table][key] = value
    return PlantRules.model_validate(raw)


def chain_ac_w_per_kwp(
    weather: Weather, tilt: float, azimuth: float, model: PlantModel, light=None, row: int = 0
) -> np.ndarray:
    """
    Output of each hour by ModelChain: sun at the middle of the hour, DNI = bhi / cos z there, or
    (with ``light``) the given hour means on the plane. Open rack by SAPM, losses of PVWatts but
    for shading.
    """
    middle = weather.times + pd.Timedelta(minutes=30)
    site = pvlib.location.Location(
        weather.latitude, weather.longitude, tz="Etc/GMT-1", altitude=weather.elevation_m
    )
    chain = ModelChain(
        _system(tilt, azimuth, model), site, transposition_model="perez",
        dc_model="cec" if hasattr(model.module, "name") else "pvwatts",
        ac_model="sandia" if hasattr(model.inverter, "name") else "pvwatts",
        aoi_model="physical", spectral_model="no_loss", temperature_model="sapm",
        losses_model="pvwatts",
    )  # fmt: skip
    data = pd.DataFrame(
        {"temp_air": weather.temp_air, "wind_speed": weather.wind_speed}, index=middle
    )
    with np.errstate(all="ignore"):  # scipy divides 0 by 0 in dark hours of the one-diode model
        _run(chain, data, weather, site, light, row)
    return chain.results.ac.fillna(0.0).to_numpy() / getattr(model.inverter, "dc_power_kwp", 1.0)


def _run(chain: ModelChain, data: pd.DataFrame, weather: Weather, site, light, row: int) -> None:
    middle = data.index
    if light is not None:
        poa = light.poa_global[row].astype(np.float64)
        direct = light.poa_direct[row].astype(np.float64)
        chain.run_model_from_poa(
            data.assign(poa_global=poa, poa_direct=direct, poa_diffuse=poa - direct)
        )
    else:
        sun = site.get_solarposition(middle)
        cos_zenith = np.cos(np.radians(sun["apparent_zenith"].to_numpy()))
        extra = pvlib.irradiance.get_extra_radiation(middle).to_numpy()
        dni = np.minimum(weather.bhi / np.maximum(cos_zenith, 0.0175), extra)
        chain.run_model(data.assign(ghi=weather.ghi, dhi=weather.dhi, dni=dni))


def chain_year_kwh(weather: Weather, tilt: float, azimuth: float, model: PlantModel) -> float:
    """Year by ModelChain. [kWh/kWp]"""
    return float(chain_ac_w_per_kwp(weather, tilt, azimuth, model).sum() / 1000.0)


def _system(tilt: float, azimuth: float, model: PlantModel) -> PVSystem:
    if hasattr(model.module, "name"):
        module = pvlib.pvsystem.retrieve_sam("CECMod")[model.module.name].to_dict()
        inverter = pvlib.pvsystem.retrieve_sam("CECInverter")[model.inverter.name].to_dict()
        per_string, strings = model.inverter.modules_per_string, model.inverter.n_strings
    else:
        module = {"pdc0": 1000.0, "gamma_pdc": -0.0035}
        inverter = {"pdc0": 1000.0 / 1.1 / 0.96, "eta_inv_nom": 0.96}
        per_string = strings = 1
    rack = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
    return PVSystem(
        arrays=[
            Array(
                FixedMount(tilt, azimuth), albedo=0.2, module_parameters=module,
                temperature_model_parameters=rack, modules_per_string=per_string, strings=strings,
            )
        ],
        inverter_parameters=inverter,
        losses_parameters={"shading": 0},
    )  # fmt: skip
