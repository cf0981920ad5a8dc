"""Carbon dioxide that electricity from the sun saves, with the factor it was computed with."""

from __future__ import annotations

import numpy as np

from solarkataster.rules.co2 import Co2Rules
from solarkataster.units import G_PER_KG


def co2_saving_kg_per_year(energy_kwh, power_kwp, rules: Co2Rules, life_years: float) -> np.ndarray:
    """
    Saving of a year.

    Parameters
    ----------
    energy_kwh : array_like, shape (n,)
        Electricity used or fed in. [kWh]
    power_kwp : array_like, shape (n,)
        Installed power. [kWp]
    rules : Co2Rules
    life_years : float
        Years over which the making of the plant is spread, if the rules subtract it. [a]

    Returns
    -------
    ndarray, shape (n,)
        NaN without energy. [kg/a]

    Notes
    -----
    Energy times the factor of the power mix. :func:`co2_method` says which.
    """
    saved = np.asarray(energy_kwh, dtype=np.float64) * rules.chosen.g_per_kwh / G_PER_KG
    if not rules.choice.subtracts_making:
        return saved
    made = np.asarray(power_kwp, dtype=np.float64) * rules.making.kg_per_kwp / life_years
    return saved - made


def co2_method(rules: Co2Rules) -> str:
    """
    What stands beside every figure: factor, year and method, in German.

    Parameters
    ----------
    rules : Co2Rules

    Returns
    -------
    str
    """
    factor = rules.chosen
    text = f"{factor.g_per_kwh:.0f} g/kWh ({factor.year}, {factor.method})"
    if rules.choice.subtracts_making:
        text += f", abzüglich {rules.making.kg_per_kwp:.0f} kg/kWp für die Herstellung"
    return text
