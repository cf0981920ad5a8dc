"""From the light on a surface to the output of a plant on it, hour by hour, loss by loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pvlib

from solarkataster.errors import InputError
from solarkataster.hourly_light import HourlyLight
from solarkataster.pv.cell_temperature import CellTemperature
from solarkataster.pv.incidence import Glass, diffuse_factors
from solarkataster.pv.inverter_power import CecInverter, PvwattsInverter, cec_inverter
from solarkataster.pv.module_power import CecModule, PvwattsModule, cec_module
from solarkataster.rules.base import SourcedTable
from solarkataster.rules.plant import PVWATTS, LossRules, PlantRules
from solarkataster.units import WH_PER_KWH
from solarkataster.weather import Weather

#: Ways of mounting, which set how warm modules get.
MOUNTINGS = ("roof-parallel", "rack", "wall")

#: Losses of a surface in the order they happen, each a share of what the others before it leave.
LOSSES = (
    "incidence",
    "shading_mismatch",
    "low_light",
    "temperature",
    "snow",
    "constant",
    "inverter",
    "clipping",
)


@dataclass(frozen=True, eq=False)
class PlantModel:
    """
    A plant without its light.

    Parameters
    ----------
    module : PvwattsModule or CecModule
    inverter : PvwattsInverter or CecInverter
    glass : Glass
    temperature : mapping of str to CellTemperature
        By mounting.
    constant_losses : mapping of str to float
        What every plant loses all the year, each a share of what the others leave. [–]
    snow_month_fraction : ndarray, shape (12,)
        Lost to snow on the modules. [–]
    mismatch_blocks : int
        Blocks of cells a shadow can cross; 0: strings lose no more than their light.
    degradation_fraction_per_year : float
        [–]
    """

    module: PvwattsModule | CecModule
    inverter: PvwattsInverter | CecInverter
    glass: Glass
    temperature: Mapping[str, CellTemperature]
    constant_losses: Mapping[str, float]
    snow_month_fraction: np.ndarray
    mismatch_blocks: int
    degradation_fraction_per_year: float

    @property
    def constant_factor(self) -> float:
        """What the constant losses leave together. [–]"""
        return float(np.prod([1.0 - loss for loss in self.constant_losses.values()]))


@dataclass(frozen=True, eq=False)
class PlantOutput:
    """
    A year of n plants, each of 1 kWp.

    Parameters
    ----------
    ac_w_per_kwp : ndarray, shape (n, n_hour), float32
        Mean output of each hour in the plant's first year. [W/kWp]
    module_poa_year_kwh_m2 : ndarray, shape (n,)
        Light on the modules. [kWh/m²]
    specific_yield_kwh_per_kwp : ndarray, shape (n,)
        Output of the year. [kWh/kWp]
    specific_yield_month_kwh_per_kwp : ndarray, shape (n, 12)
        Of each month. [kWh/kWp]
    loss_fractions : dict of str to ndarray, shape (n,)
        By the names of :data:`LOSSES`, each a share of what those before it leave: the yield is
        light · Π (1 − loss) at 1 kW per kWp and 1000 W/m². NaN where no light arrives. [–]
    """

    ac_w_per_kwp: np.ndarray
    module_poa_year_kwh_m2: np.ndarray
    specific_yield_kwh_per_kwp: np.ndarray
    specific_yield_month_kwh_per_kwp: np.ndarray
    loss_fractions: dict[str, np.ndarray]

    @property
    def performance_ratio(self) -> np.ndarray:
        """Yield over what modules at standard conditions would make of the light, (n,). [–]"""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.specific_yield_kwh_per_kwp / self.module_poa_year_kwh_m2


def plant_model(rules: PlantRules) -> PlantModel:
    """
    The plant that rules describe.

    Parameters
    ----------
    rules : PlantRules

    Returns
    -------
    PlantModel

    Raises
    ------
    InputError
        If a module or inverter has no such name, or an inverter is named without a module.
    """
    shading = rules.shading_mismatch
    losses = rules.losses
    module = (
        PvwattsModule(rules.module.gamma_pdc_per_k)
        if rules.module.name == PVWATTS
        else cec_module(rules.module.name)
    )
    return PlantModel(
        module=module,
        inverter=_inverter(rules, module),
        glass=Glass(
            rules.incidence.refraction_index,
            rules.incidence.extinction_per_m,
            rules.incidence.thickness_m,
            rules.incidence.diffuse == "marion",
        ),
        temperature={
            mounting: CellTemperature(table.model, table.parameters)
            for mounting, table in zip(
                MOUNTINGS,
                (rules.temperature.roof_parallel, rules.temperature.rack, rules.temperature.wall),
                strict=True,
            )
        },
        constant_losses={
            name: getattr(losses, name)
            for name in LossRules.model_fields
            if name not in SourcedTable.model_fields
        },
        snow_month_fraction=np.array(rules.snow.month_fraction),
        mismatch_blocks=shading.total_blocks if shading.method == "martinez" else 0,
        degradation_fraction_per_year=rules.degradation.fraction_per_year,
    )


def _inverter(
    rules: PlantRules, module: PvwattsModule | CecModule
) -> PvwattsInverter | CecInverter:
    inverter = rules.inverter
    if inverter.name == PVWATTS:
        return PvwattsInverter(inverter.efficiency_nominal_fraction, inverter.dc_ac_ratio)
    if isinstance(module, PvwattsModule):
        raise InputError(
            f"name = {inverter.name!r}, but the module is {PVWATTS}, which has no voltage.",
            where="plant.inverter",
            expected="a module by name with an inverter by name",
            remedy="Name a module in [plant.module], or set the inverter to pvwatts.",
        )
    return cec_inverter(inverter.name, module, inverter.dc_ac_ratio, inverter.modules_per_string)


def missing_weather(weather: Weather) -> str:
    """
    What the weather lacks for a yield.

    Parameters
    ----------
    weather : Weather

    Returns
    -------
    missing : str
        Columns, comma-separated; "" if nothing is missing.
    """
    return ", ".join(name for name in ("temp_air", "wind_speed") if getattr(weather, name) is None)


def plant_output(
    light: HourlyLight,
    surface_tilt: np.ndarray,
    mounting: np.ndarray | str,
    weather: Weather,
    model: PlantModel,
) -> PlantOutput:
    """
    Output of plants, one for each surface.

    Parameters
    ----------
    light : HourlyLight, n surfaces
        On the modules.
    surface_tilt : ndarray, shape (n,)
        Of the modules. [°]
    mounting : ndarray of str, shape (n,), or str
        One of :data:`MOUNTINGS` each.
    weather : Weather
        Of the same hours.
    model : PlantModel

    Returns
    -------
    PlantOutput

    Raises
    ------
    InputError
        If the weather has no air temperature or wind, or a mounting is not known.

    Notes
    -----
    As pvlib's ModelChain: cells warm up with all the light, the module takes what passes the glass,
    constant losses lie before the inverter (PVWatts, Dobos 2014). Where the glass has a diffuse
    loss, light of sky and ground (Marion 2017) and from around the sun loses too, which that chain
    leaves out.
    """
    temp_air, wind_speed = _air(weather)
    poa = light.poa_global
    taken = _taken_light(light, np.asarray(surface_tilt, dtype=np.float64), model)
    stages = [_sums(poa), _sums(taken)]
    taken = _after_shading_mismatch(taken, light, model.mismatch_blocks)
    stages.append(_sums(taken))
    temp_cell = _cells(poa, temp_air, wind_speed, mounting, model)
    stages.append(_sums(model.module.dc_at_25_c(taken)))
    dc = model.module.dc_w_per_kwp(taken, temp_cell)
    v_mp = model.module.v_mp(taken, temp_cell)
    stages.append(_sums(dc))
    month = weather.times.month.to_numpy() - 1
    if model.snow_month_fraction.any():
        dc = dc * (1.0 - model.snow_month_fraction[month]).astype(dc.dtype)
    stages.append(_sums(dc))
    dc = dc * model.constant_factor
    ac, clipped = model.inverter.ac_w_per_kwp(dc, v_mp)
    months = _month_sums(ac, month)
    year = months.sum(axis=1)
    stages += [stages[-1] * model.constant_factor, year + _sums(clipped), year]
    return PlantOutput(
        ac_w_per_kwp=ac.astype(np.float32, copy=False),
        module_poa_year_kwh_m2=stages[0],
        specific_yield_kwh_per_kwp=year,
        specific_yield_month_kwh_per_kwp=months,
        loss_fractions=_losses(stages),
    )


def _air(weather: Weather) -> tuple[np.ndarray, np.ndarray]:
    """Temperature and wind, or the reason why there is no yield."""
    missing = missing_weather(weather)
    if missing or weather.temp_air is None or weather.wind_speed is None:
        raise InputError(
            f"no {missing}: how warm cells get is not known, so no yield is computed.",
            where=weather.source,
            expected="air temperature and wind speed in every hour",
            remedy="Give a weather file that has them, a TRY or an EPW.",
        )
    return weather.temp_air, weather.wind_speed


def _taken_light(light: HourlyLight, surface_tilt: np.ndarray, model: PlantModel) -> np.ndarray:
    """Light that passes the glass, (n, n_hour). [Wm⁻²]"""
    if not model.glass.has_diffuse_loss:  # pvlib books light from around the sun as diffuse
        beam = light.poa_direct + light.poa_circumsolar
        share = light.poa_direct / np.maximum(beam, np.finfo(beam.dtype).tiny)
        return light.beam_taken * share + light.poa_circumsolar + light.poa_sky + light.poa_ground
    sky, ground = (
        factor.astype(light.poa_sky.dtype)[:, None]
        for factor in diffuse_factors(model.glass, surface_tilt)
    )
    return light.beam_taken + light.poa_sky * sky + light.poa_ground * ground


def _after_shading_mismatch(taken: np.ndarray, light: HourlyLight, n_blocks: int) -> np.ndarray:
    """
    Less what strings lose beyond the shaded light, [1]_.

    The light is that behind the shadow already, so the formula is asked for its second factor
    alone: a shaded fraction of 0, and the blocks that the shadow touches.

    References
    ----------
    .. [1] F. Martínez-Moreno, J. Muñoz and E. Lorenzo, "Experimental model to estimate shading
       losses on PV arrays," Solar Energy Materials and Solar Cells 94, 2298-2303, 2010,
       doi:10.1016/j.solmat.2010.07.029.
    """
    if not n_blocks:
        return taken
    # A shadow over a thousandth of a block is rounding.
    blocks = np.ceil(np.round((1.0 - light.beam_visible) * n_blocks, 3))
    loss = pvlib.shading.direct_martinez(
        np.maximum(taken, 1e-6), light.beam_taken, 0.0, blocks, n_blocks
    )
    return taken * (1.0 - loss)


def _cells(poa, temp_air, wind_speed, mounting, model: PlantModel) -> np.ndarray:
    """Temperature of the cells of each surface by its mounting, (n, n_hour). [°C]"""
    names = np.broadcast_to(np.asarray(mounting, dtype=object), len(poa))
    kinds = sorted(set(names))
    for kind in kinds:
        if kind not in model.temperature:
            raise InputError(
                f"mounting = {kind!r} is not known.", expected="one of " + ", ".join(MOUNTINGS)
            )
    if len(kinds) == 1:
        return model.temperature[kinds[0]].of(poa, temp_air, wind_speed)
    temp_cell = np.empty_like(poa)
    for kind in kinds:
        rows = names == kind
        temp_cell[rows] = model.temperature[kind].of(poa[rows], temp_air, wind_speed)
    return temp_cell


def _sums(power: np.ndarray) -> np.ndarray:
    """Energy of the year, (n,). [kWh]"""
    return power.sum(axis=1, dtype=np.float64) / WH_PER_KWH


def _month_sums(power: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Energy of each month, (n, 12). [kWh]"""
    out = np.zeros((len(power), 12))
    edges = np.flatnonzero(np.diff(month)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.concatenate((edges, [len(month)]))
    for start, end in zip(starts, ends, strict=True):
        out[:, month[start]] += power[:, start:end].sum(axis=1, dtype=np.float64) / WH_PER_KWH
    return out


def _losses(stages: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Share lost from each stage to the next."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            name: np.where(before > 0.0, 1.0 - after / before, np.nan)
            for name, before, after in zip(LOSSES, stages[:-1], stages[1:], strict=True)
        }
