"""The all-weather sky: radiance for every direction, from direct and diffuse light."""

from __future__ import annotations

import numpy as np
import pvlib

from solarkataster.kernels.sky_radiance import add_skies, gradation, indicatrix
from solarkataster.sun import SunPosition

#: Lattice of directions on which radiance is summed: rows of elevation, even in q = t / (1 + t)
#: with t the tangent (1.3° high at the horizon, 2.5° at most), times patches of 3° from north. A
#: finer one moves the year of a plane by less than 0.01 %.
N_ROW, N_PATCH = 45, 120

#: Upper borders of the classes of clearness but the last. [–]
CLEARNESS_BORDERS = (1.065, 1.230, 1.500, 1.950, 2.800, 4.500, 6.200)

# fmt: off
#: Rows: classes of clearness, overcast first; columns: the four coefficients of a, b, c, d, e.
#: Perez, Seals and Michalsky 1993, table 1 as the erratum corrects it. [–]
COEFFICIENTS = np.array(
    [
        [1.3525, -0.2576, -0.2690, -1.4366, -0.7670, 0.0007, 1.2734, -0.1233, 2.8000, 0.6004,
         1.2375, 1.0000, 1.8734, 0.6297, 0.9738, 0.2809, 0.0356, -0.1246, -0.5718, 0.9938],
        [-1.2219, -0.7730, 1.4148, 1.1016, -0.2054, 0.0367, -3.9128, 0.9156, 6.9750, 0.1774,
         6.4477, -0.1239, -1.5798, -0.5081, -1.7812, 0.1080, 0.2624, 0.0672, -0.2190, -0.4285],
        [-1.1000, -0.2515, 0.8952, 0.0156, 0.2782, -0.1812, -4.5000, 1.1766, 24.7219, -13.0812,
         -37.7000, 34.8438, -5.0000, 1.5218, 3.9229, -2.6204, -0.0156, 0.1597, 0.4199, -0.5562],
        [-0.5484, -0.6654, -0.2672, 0.7117, 0.7234, -0.6219, -5.6812, 2.6297, 33.3389, -18.3000,
         -62.2500, 52.0781, -3.5000, 0.0016, 1.1477, 0.1062, 0.4659, -0.3296, -0.0876, -0.0329],
        [-0.6000, -0.3566, -2.5000, 2.3250, 0.2937, 0.0496, -5.6812, 1.8415, 21.0000, -4.7656,
         -21.5906, 7.2492, -3.5000, -0.1554, 1.4062, 0.3988, 0.0032, 0.0766, -0.0656, -0.1294],
        [-1.0156, -0.3670, 1.0078, 1.4051, 0.2875, -0.5328, -3.8500, 3.3750, 14.0000, -0.9999,
         -7.1406, 7.5469, -3.4000, -0.1078, -1.0750, 1.5702, -0.0672, 0.4016, 0.3017, -0.4844],
        [-1.0000, 0.0211, 0.5025, -0.5119, -0.3000, 0.1922, 0.7023, -1.6317, 19.0000, -5.0000,
         1.2438, -1.9094, -4.0000, 0.0250, 0.3844, 0.2656, 1.0468, -0.3788, -2.4517, 1.4656],
        [-1.0500, 0.0289, 0.4260, 0.3590, -0.3250, 0.1156, 0.7781, 0.0025, 31.0625, -14.5000,
         -46.1148, 55.3750, -7.2312, 0.4050, 13.3500, 0.6234, 1.5000, -0.6426, 1.8564, 0.5636],
    ]
).reshape(8, 5, 4)
# fmt: on

#: Limits of brightness, and its least value while clearness is over the first class and under 2.8:
#: outside, the fits are not meant to hold. [–]
BRIGHTNESS_LIMITS, LEAST_BRIGHTNESS_BETWEEN, BETWEEN = (0.01, 0.6), 0.2, (1.065, 2.8)

#: The sun of the sky stands no higher: its halo would close around the zenith. [°]
HIGHEST_SUN_DEG = 87.0

#: Weight of the cube of the zenith angle in radians in clearness (Perez et al. 1990). [–]
_KAPPA = 1.041


def sky_clearness(dhi: np.ndarray, dni: np.ndarray, zenith_rad: np.ndarray) -> np.ndarray:
    """
    Clearness ε of a sky, from 1 (overcast) to beyond 6.2 (clear).

    Parameters
    ----------
    dhi, dni : ndarray, shape (n,)
        Diffuse horizontal, over 0, and direct normal light. [Wm⁻²]
    zenith_rad : ndarray, shape (n,)
        Zenith angle of the sun. [rad]

    Returns
    -------
    ndarray, shape (n,)
    """
    cube = _KAPPA * np.asarray(zenith_rad) ** 3
    return ((dhi + dni) / dhi + cube) / (1.0 + cube)


def sky_parameters(
    clearness: np.ndarray, brightness: np.ndarray, zenith_rad: np.ndarray
) -> np.ndarray:
    """
    Parameters a to e of the relative radiance of a sky.

    Parameters
    ----------
    clearness : ndarray, shape (n,)
        ε; what lies under 1 counts as 1, and the last class has no upper border. [–]
    brightness : ndarray, shape (n,)
        Δ = dhi · air mass / extraterrestrial light; held within 0.01 to 0.6, and at least 0.2
        for 1.065 < ε < 2.8, as Radiance does. [–]
    zenith_rad : ndarray, shape (n,)
        Zenith angle of the sun. [rad]

    Returns
    -------
    ndarray, shape (n, 5)

    Notes
    -----
    x = x1 + x2 Z + Δ (x3 + x4 Z) for all parameters of all classes but c and d of the overcast
    one: equations 6 to 8 of [1]_.

    References
    ----------
    .. [1] R. Perez, R. Seals and J. Michalsky, "All-weather model for sky luminance distribution:
       preliminary configuration and validation," Solar Energy, vol. 50, no. 3, pp. 235-245, 1993,
       doi:10.1016/0038-092X(93)90017-I; erratum vol. 51, no. 5, p. 423.
    """
    clearness = np.asarray(clearness, dtype=np.float64)
    zenith_rad = np.asarray(zenith_rad, dtype=np.float64)
    bright = np.clip(np.asarray(brightness, dtype=np.float64), *BRIGHTNESS_LIMITS)
    is_between = (clearness > BETWEEN[0]) & (clearness < BETWEEN[1])
    bright = np.where(is_between, np.maximum(bright, LEAST_BRIGHTNESS_BETWEEN), bright)
    sky_class = np.searchsorted(CLEARNESS_BORDERS, clearness, side="right")
    x1, x2, x3, x4 = np.moveaxis(COEFFICIENTS[sky_class], 2, 0)
    zenith, delta = zenith_rad[:, None], bright[:, None]
    parameters = x1 + x2 * zenith + delta * (x3 + x4 * zenith)
    overcast = sky_class == 0
    zenith, delta = zenith_rad[overcast], bright[overcast]
    (c1, c2, c3, c4), (d1, d2, d3, d4) = COEFFICIENTS[0, 2:4]
    parameters[overcast, 2] = np.exp((delta * (c1 + c2 * zenith)) ** c3) - c4
    parameters[overcast, 3] = -np.exp(delta * (d1 + d2 * zenith)) + d3 + delta * d4
    return parameters


def relative_radiance(parameters: np.ndarray, sine: float, angle_rad: float) -> float:
    """
    Radiance of one direction of a sky, in units of its own.

    Parameters
    ----------
    parameters : ndarray, shape (5,)
        As of :func:`sky_parameters`.
    sine : float
        Sine of the direction's elevation; at least 0.01 is taken, as Radiance does. [–]
    angle_rad : float
        Angle between the direction and the sun. [rad]

    Returns
    -------
    float
        (1 + a exp(b / sine)) · (1 + c exp(d γ) + e cos² γ). The fits can be negative in rare
        skies. Radiance takes such a product as 0; here each factor is 0, so that two negative ones
        make no light either.
    """
    a, b, c, d, e = (float(value) for value in parameters)
    return float(gradation(a, b, sine) * indicatrix(c, d, e, angle_rad))


def row_elevations_rad() -> np.ndarray:
    """Borders of the rows of the lattice from the horizon to the zenith, (N_ROW + 1,). [rad]"""
    q = np.arange(N_ROW + 1) / N_ROW
    return np.arctan2(q, 1.0 - q)


def patch_on_flat_sr() -> np.ndarray:
    """What a patch of each row with radiance 1 gives a level plane, (N_ROW,). [sr]"""
    return np.diff(np.sin(row_elevations_rad()) ** 2) / 2.0 * (2.0 * np.pi / N_PATCH)


def patch_sr() -> np.ndarray:
    """Solid angle of a patch of each row, (N_ROW,). [sr]"""
    return np.diff(np.sin(row_elevations_rad())) * (2.0 * np.pi / N_PATCH)


def month_radiance(
    dhi: np.ndarray,
    dni: np.ndarray,
    sun: SunPosition,
    month: np.ndarray,
    light_kwh_m2: np.ndarray,
) -> np.ndarray:
    """
    Radiance of all-weather skies, summed by month.

    Parameters and notes as of :func:`summed_radiance`, with ``month`` 0 to 11 as ``slot``.

    Returns
    -------
    ndarray, shape (12, N_ROW, N_PATCH)
        [kWh/m²/sr]
    """
    return summed_radiance(dhi, dni, sun, month, light_kwh_m2, 12)


def summed_radiance(
    dhi: np.ndarray,
    dni: np.ndarray,
    sun: SunPosition,
    slot: np.ndarray,
    light_kwh_m2: np.ndarray,
    n_slot: int,
) -> np.ndarray:
    """
    Radiance of all-weather skies, summed by months, hours or whatever the steps belong to.

    Parameters
    ----------
    dhi, dni : ndarray, shape (n_step,)
        Diffuse horizontal and direct normal light. [Wm⁻²]
    sun : SunPosition
        Of the same steps, all with the sun up.
    slot : ndarray, shape (n_step,), int64
        0 to ``n_slot`` - 1: what each step is summed into.
    light_kwh_m2 : ndarray, shape (n_step,)
        Diffuse light of each step on the horizontal. [kWh/m²]
    n_slot : int

    Returns
    -------
    ndarray, shape (n_slot, N_ROW, N_PATCH)
        Rows from the horizon up, patches clockwise from true north. [kWh/m²/sr]

    Notes
    -----
    Only the shape is the model's; each sky is scaled to its diffuse light, so a level plane gets
    that light to rounding. Air mass is Kasten's and Young's and the extraterrestrial light the
    step's own, as for the other models (Radiance: Kasten 1966; air mass differs by under 0.5 % up
    to 89° of zenith angle). The sun of a sky stands at most at HIGHEST_SUN_DEG.
    """
    lit = dhi > 0.0
    elevation_rad = np.radians(np.minimum(sun.elevation_deg[lit], HIGHEST_SUN_DEG))
    zenith_rad = np.pi / 2.0 - elevation_rad
    airmass = pvlib.atmosphere.get_relative_airmass(90.0 - sun.elevation_deg[lit])
    parameters = sky_parameters(
        sky_clearness(dhi[lit], dni[lit], zenith_rad),
        dhi[lit] * airmass / sun.dni_extra[lit],
        zenith_rad,
    )
    q = (np.arange(N_ROW) + 0.5) / N_ROW
    out = np.zeros((n_slot, N_ROW, N_PATCH))
    add_skies(
        light_kwh_m2[lit], slot[lit], elevation_rad, np.radians(sun.azimuth_deg[lit]), parameters,
        np.sin(np.arctan2(q, 1.0 - q)), patch_on_flat_sr(), N_PATCH, out,
    )  # fmt: skip
    return out
