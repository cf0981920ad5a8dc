"""What modules make of the light that reaches their cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pvlib
from scipy.ndimage import map_coordinates

from solarkataster.pv.cec_names import cec_numbers
from solarkataster.units import W_PER_KW

#: Cells at standard test conditions. [°C]
TEMP_STC_C = 25.0

#: Grid of the table of a CEC module: root of the light, and temperature of the cells.
_ROOTS = np.linspace(0.0, np.sqrt(1600.0), 121)
_TEMPS_C = np.linspace(-40.0, 120.0, 81)

#: Numbers of the one-diode model, in the order that pvlib takes them.
_DIODE_KEYS = ("alpha_sc", "a_ref", "I_L_ref", "I_o_ref", "R_sh_ref", "R_s", "Adjust")


@dataclass(frozen=True)
class PvwattsModule:
    """
    Module that is linear in light and temperature (PVWatts).

    Parameters
    ----------
    gamma_pdc_per_k : float
        Power per degree over 25 °C. [1/K]
    """

    gamma_pdc_per_k: float

    def dc_w_per_kwp(self, effective_irradiance, temp_cell) -> np.ndarray:
        """
        Power at the maximum power point.

        Parameters
        ----------
        effective_irradiance : ndarray, shape (n, n_hour)
            Light that reaches the cells. [Wm⁻²]
        temp_cell : ndarray, shape (n, n_hour)
            [°C]

        Returns
        -------
        dc : ndarray, shape (n, n_hour)
            Of modules of 1 kWp. [W]
        """
        return pvlib.pvsystem.pvwatts_dc(
            effective_irradiance, temp_cell, W_PER_KW, self.gamma_pdc_per_k
        )

    def dc_at_25_c(self, effective_irradiance) -> np.ndarray:
        """The same with cells at 25 °C: as much as the light."""
        return effective_irradiance

    def v_mp(self, effective_irradiance, temp_cell) -> np.ndarray | None:
        """Voltage at the maximum power point; this model has none."""
        return None


@dataclass(frozen=True, eq=False)
class CecModule:
    """
    Module of the CEC data base: one-diode model, from a table over light and temperature.

    Parameters
    ----------
    name : str
    power_w, v_mp_ref : float
        Of one module at standard test conditions. [W], [V]
    per_irradiance : ndarray, shape (n_root, n_temp), float32
        Power of modules of 1 kWp ÷ light, over :data:`_ROOTS` and :data:`_TEMPS_C`. [m²]
    voltage : ndarray, shape (n_root, n_temp), float32
        At the maximum power point, of one module. [V]

    Notes
    -----
    Within the table values differ from the model by less than 0.05 % of the rated power.
    """

    name: str
    power_w: float
    v_mp_ref: float
    per_irradiance: np.ndarray
    voltage: np.ndarray

    def dc_w_per_kwp(self, effective_irradiance, temp_cell) -> np.ndarray:
        """As :meth:`PvwattsModule.dc_w_per_kwp`."""
        return effective_irradiance * _between(self.per_irradiance, effective_irradiance, temp_cell)

    def dc_at_25_c(self, effective_irradiance) -> np.ndarray:
        """As :meth:`PvwattsModule.dc_at_25_c`; without the light's share, modules do less."""
        return self.dc_w_per_kwp(
            effective_irradiance, np.full_like(effective_irradiance, TEMP_STC_C)
        )

    def v_mp(self, effective_irradiance, temp_cell) -> np.ndarray | None:
        """Voltage of one module at its maximum power point, (n, n_hour). [V]"""
        return _between(self.voltage, effective_irradiance, temp_cell)


def cec_module(name: str) -> CecModule:
    """
    A module by its name.

    Parameters
    ----------
    name : str
        As pvlib spells it in ``retrieve_sam("CECMod")``.

    Returns
    -------
    CecModule

    Raises
    ------
    InputError
        If the data base has no such module.

    Notes
    -----
    A. Dobos, "An Improved Coefficient Calculator for the California Energy Commission 6 Parameter
    Photovoltaic Module Model," J. Sol. Energy Eng. 134(2), 2012; solved by pvlib.
    """
    numbers = cec_numbers("module", name)
    power_w = numbers["I_mp_ref"] * numbers["V_mp_ref"]
    light, temp = np.meshgrid(np.maximum(_ROOTS, 0.05) ** 2, _TEMPS_C, indexing="ij")
    point = cec_point(numbers, light.ravel(), temp.ravel())
    return CecModule(
        name=name,
        power_w=power_w,
        v_mp_ref=numbers["V_mp_ref"],
        per_irradiance=(W_PER_KW / power_w * point["p_mp"] / light.ravel())
        .reshape(light.shape)
        .astype(np.float32),
        voltage=np.asarray(point["v_mp"]).reshape(light.shape).astype(np.float32),
    )


def cec_point(numbers, effective_irradiance, temp_cell):
    """
    Maximum power point of one module by the one-diode model itself.

    Parameters
    ----------
    numbers : mapping of str to float
        Of the CEC data base.
    effective_irradiance, temp_cell : ndarray, shape (n,)
        [Wm⁻²], [°C]

    Returns
    -------
    point : mapping of str to ndarray
        ``p_mp`` [W], ``v_mp`` [V], ``i_mp`` [A].
    """
    diode = pvlib.pvsystem.calcparams_cec(
        effective_irradiance, temp_cell, *(numbers[key] for key in _DIODE_KEYS)
    )
    return pvlib.pvsystem.max_power_point(*diode, method="newton")


def _between(table: np.ndarray, effective_irradiance, temp_cell) -> np.ndarray:
    """Bilinear in root of light and temperature; beyond the table its edge."""
    light = np.asarray(effective_irradiance)
    at = np.empty((2, *light.shape), dtype=np.float32)
    np.sqrt(np.maximum(light, 0.0), out=at[0], casting="same_kind")
    at[0] *= 1.0 / (_ROOTS[1] - _ROOTS[0])
    np.subtract(temp_cell, _TEMPS_C[0], out=at[1], casting="same_kind")
    at[1] *= 1.0 / (_TEMPS_C[1] - _TEMPS_C[0])
    return map_coordinates(table, at, output=np.float32, order=1, mode="nearest", prefilter=False)
