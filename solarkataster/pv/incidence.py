"""What glass lets through of slanting light, against light that falls straight on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pvlib

#: Under this tilt what comes from below the horizon is the light of walls beside the roof, not of
#: ground; the ground's share at this tilt is kept. At 0° there would be none of it. [°]
LEAST_GROUND_TILT_DEG = 10.0


@dataclass(frozen=True)
class Glass:
    """
    Cover of a module, and whether diffuse light loses at it.

    Parameters
    ----------
    refraction_index : float
        [–]
    extinction_per_m : float
        [1/m]
    thickness_m : float
        [m]
    has_diffuse_loss : bool
        False: light of sky and ground and from around the sun passes whole, as in PVWatts 5 and
        pvlib's ModelChain.
    """

    refraction_index: float = 1.526
    extinction_per_m: float = 4.0
    thickness_m: float = 0.002
    has_diffuse_loss: bool = True


def incidence_table(glass: Glass, step_deg: float = 0.5) -> np.ndarray:
    """
    Share of direct light that passes, by angle of incidence.

    Parameters
    ----------
    glass : Glass
    step_deg : float
        Between two angles, a divisor of 90. [°]

    Returns
    -------
    table : ndarray, shape (90 / step_deg + 1,), float64
        At 0°, step, … 90°: 1 at 0°, 0 at 90°. [–]

    Notes
    -----
    pvlib's physical model: Fresnel at the air side, absorption in the glass (De Soto et al. 2006).
    """
    angles = np.linspace(0.0, 90.0, round(90.0 / step_deg) + 1)
    table = _physical(angles, glass)
    table[-1] = 0.0
    return table


def diffuse_factors(glass: Glass, surface_tilt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Share of sky and ground light that passes, by tilt.

    Parameters
    ----------
    glass : Glass
    surface_tilt : ndarray, shape (n,)
        0 to 90. [°]

    Returns
    -------
    sky, ground : ndarray, shape (n,)
        1 where the glass has no diffuse loss. [–]

    Notes
    -----
    Marion (2017, Solar Energy 147, 344-348) as in pvlib: integrated over the open sky, and over
    ground without an obstacle. Under 10° of tilt ground counts as at 10°.
    """
    tilt = np.asarray(surface_tilt, dtype=np.float64)
    if not glass.has_diffuse_loss:
        return np.ones(tilt.shape), np.ones(tilt.shape)
    tilts, sky, ground = _diffuse_table(glass)
    return (
        np.interp(tilt, tilts, sky),
        np.interp(np.maximum(tilt, LEAST_GROUND_TILT_DEG), tilts, ground),
    )


def _physical(aoi: np.ndarray, glass: Glass) -> np.ndarray:
    return np.asarray(
        pvlib.iam.physical(
            aoi, n=glass.refraction_index, K=glass.extinction_per_m, L=glass.thickness_m
        )
    )


@lru_cache(maxsize=8)
def _diffuse_table(glass: Glass) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors at every third degree of tilt; in between they are nearly straight."""
    tilts = np.arange(0.0, 91.0, 3.0)
    factors = pvlib.iam.marion_diffuse(
        "physical",
        tilts,
        n=glass.refraction_index,
        K=glass.extinction_per_m,
        L=glass.thickness_m,
    )
    return tilts, factors["sky"], factors["ground"]
