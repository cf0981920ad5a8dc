"""How warm cells get: light, air and wind, by the way the modules are mounted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pvlib

_MODELS = {
    "sapm": pvlib.temperature.sapm_cell,
    "pvsyst": pvlib.temperature.pvsyst_cell,
    "faiman": pvlib.temperature.faiman,
}


@dataclass(frozen=True)
class CellTemperature:
    """
    A temperature model with its numbers.

    Parameters
    ----------
    model : {"sapm", "pvsyst", "faiman"}
        King et al. 2004 (wind at 10 m), PVsyst, or Faiman 2008 (wind as in the field where the
        numbers were found).
    parameters : mapping of str to float
        By the names that pvlib's function takes.
    """

    model: str
    parameters: Mapping[str, float]

    def of(self, poa_global: np.ndarray, temp_air: np.ndarray, wind_speed: np.ndarray):
        """
        Temperature of the cells.

        Parameters
        ----------
        poa_global : ndarray, shape (n, n_hour)
            Light on the modules before any loss. [Wm⁻²]
        temp_air, wind_speed : ndarray, shape (n_hour,)
            [°C], [m/s]

        Returns
        -------
        temp_cell : ndarray, shape (n, n_hour)
            In the precision of the light. [°C]
        """
        kind = poa_global.dtype
        return _MODELS[self.model](
            poa_global, temp_air.astype(kind), wind_speed.astype(kind), **self.parameters
        )
