"""Hour by hour: what surfaces get of sun, sky and ground, from their own records of the sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class HourlyLight:
    """
    Light on n surfaces, mean power of each hour of the weather file, before incidence-angle loss.

    Parameters
    ----------
    poa_direct : ndarray, shape (n, n_hour), float32
        The disc, what reaches the surface. [Wm⁻²]
    poa_circumsolar : ndarray, shape (n, n_hour), float32
        Diffuse light from around the sun, shaded like it. [Wm⁻²]
    poa_sky : ndarray, shape (n, n_hour), float32
        The rest of the sky: dome and band at the horizon, or all of an all-weather sky. [Wm⁻²]
    poa_ground : ndarray, shape (n, n_hour), float32
        From below the horizon. [Wm⁻²]
    beam_taken : ndarray, shape (n, n_hour), float32
        (Direct + circumsolar) after the incidence-angle loss, sun step by sun step. [Wm⁻²]
    beam_visible : ndarray, shape (n, n_hour), float32
        Share of direct light that is not shaded; 1 if nothing shades, and without sun. [–]
    """

    poa_direct: np.ndarray
    poa_circumsolar: np.ndarray
    poa_sky: np.ndarray
    poa_ground: np.ndarray
    beam_taken: np.ndarray
    beam_visible: np.ndarray

    @property
    def poa_global(self) -> np.ndarray:
        """Sum of the parts, (n, n_hour). [Wm⁻²]"""
        return self.poa_direct + self.poa_circumsolar + self.poa_sky + self.poa_ground
