"""What inverters make of direct current, and what they cut off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pvlib

from solarkataster.errors import InputError
from solarkataster.pv.cec_names import cec_numbers
from solarkataster.pv.module_power import CecModule
from solarkataster.units import W_PER_KW


@dataclass(frozen=True)
class PvwattsInverter:
    """
    Inverter of PVWatts: one curve over the load.

    Parameters
    ----------
    efficiency_nominal_fraction : float
        At full power. [–]
    dc_ac_ratio : float
        Rated power of the modules ÷ rated output. [–]
    """

    efficiency_nominal_fraction: float
    dc_ac_ratio: float

    def ac_w_per_kwp(
        self, dc: np.ndarray, v_mp: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Output, and what was cut off.

        Parameters
        ----------
        dc : ndarray, shape (n, n_hour)
            Of modules of 1 kWp. [W]
        v_mp : ndarray, shape (n, n_hour), or None
            Voltage of one module; this model does not ask for it. [V]

        Returns
        -------
        ac, clipped : ndarray, shape (n, n_hour)
            Output; what it would be more if the inverter were larger. [W]
        """
        eta = self.efficiency_nominal_fraction
        limit = W_PER_KW / self.dc_ac_ratio / eta
        ac = pvlib.inverter.pvwatts(dc, limit, eta)
        return ac, eta * np.maximum(dc - limit, 0.0)


@dataclass(frozen=True, eq=False)
class CecInverter:
    """
    Inverter of the CEC data base with strings of one module.

    Parameters
    ----------
    name : str
    numbers : mapping of str to float
        Of the data base.
    modules_per_string, n_strings : int
        On one inverter.
    dc_power_kwp : float
        Of the modules on one inverter. [kWp]

    Notes
    -----
    A roof of any size counts as a whole number of such inverters would: per kWp. The draw of the
    inverter at night (``numbers["Pnt"]``) is not taken from the yield.
    """

    name: str
    numbers: Mapping[str, float]
    modules_per_string: int
    n_strings: int
    dc_power_kwp: float

    @property
    def dc_ac_ratio(self) -> float:
        """Rated power of the modules ÷ rated output, as the strings came out. [–]"""
        return W_PER_KW * self.dc_power_kwp / self.numbers["Paco"]

    def ac_w_per_kwp(
        self, dc: np.ndarray, v_mp: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`PvwattsInverter.ac_w_per_kwp`; by the model of Sandia (King et al. 2007)."""
        if v_mp is None:
            raise InputError(f"{self.name} needs the voltage of its modules.")
        limit = self.numbers["Paco"]
        power = dc * self.dc_power_kwp
        ac = pvlib.inverter.sandia(v_mp * float(self.modules_per_string), power, self.numbers)
        over = np.where(ac >= limit, power * (limit / self.numbers["Pdco"]) - limit, 0.0)
        scale = 1.0 / self.dc_power_kwp
        return np.maximum(ac, 0.0) * scale, np.maximum(over, 0.0) * scale


def cec_inverter(
    name: str, module: CecModule, dc_ac_ratio: float, modules_per_string: int = 0
) -> CecInverter:
    """
    An inverter by its name, with strings that suit it.

    Parameters
    ----------
    name : str
        As pvlib spells it in ``retrieve_sam("CECInverter")``.
    module : CecModule
    dc_ac_ratio : float
        To be met as nearly as whole strings can. [–]
    modules_per_string : int
        0: as many as come nearest to the ratio, then to the inverter's nominal voltage.

    Returns
    -------
    CecInverter

    Raises
    ------
    InputError
        If the data base has no such inverter, or a string of this module leaves its voltages.
    """
    numbers = cec_numbers("inverter", name)
    low, high = numbers["Mppt_low"], numbers["Mppt_high"]
    lengths = range(math.ceil(low / module.v_mp_ref), math.floor(high / module.v_mp_ref) + 1)
    if modules_per_string:
        lengths = range(modules_per_string, modules_per_string + 1)
    choices = [
        (abs(ratio - dc_ac_ratio), abs(n * module.v_mp_ref - numbers["Vdco"]), n, strings)
        for n in lengths
        if low <= n * module.v_mp_ref <= high
        for strings in range(1, 1 + math.ceil(2.0 * dc_ac_ratio * numbers["Paco"] / module.power_w))
        if (ratio := n * strings * module.power_w / numbers["Paco"]) > 0.0
    ]
    if not choices:
        raise InputError(
            f"no string of {f'{modules_per_string} ' if modules_per_string else ''}modules "
            f"{module.name} ({module.v_mp_ref:.0f} V each) suits {name}.",
            where="plant.inverter",
            expected=f"{low:.0f} to {high:.0f} V, where it finds the best point",
            remedy="Set modules_per_string, or choose another inverter.",
        )
    *_, n_modules, n_strings = min(choices)
    power_kwp = n_strings * n_modules * module.power_w / W_PER_KW
    return CecInverter(name, numbers, n_modules, n_strings, power_kwp)
