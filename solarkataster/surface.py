"""The surface that casts shadows, from the heights that were measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.errors import InputError


@dataclass(frozen=True)
class Surface:
    """
    Heights of a window.

    Parameters
    ----------
    elevation_m : ndarray, shape (ny, nx), float32
        What blocks light: the surface model, the terrain where the surface model has no value,
        NaN where neither has one. [m]
    is_gap : ndarray, shape (ny, nx), bool
        Where the surface model has no value.
    terrain_m : ndarray, shape (ny, nx), float32
        Bare ground, NaN for no data. [m]
    """

    elevation_m: np.ndarray
    is_gap: np.ndarray
    terrain_m: np.ndarray


def merge_surface(dsm_m: np.ndarray, terrain_m: np.ndarray) -> Surface:
    """
    Close the gaps of a surface model with the terrain.

    NaN never blocks a ray, so a gap would let light through the hill below it. Buildings in a
    gap are still missing; ``is_gap`` keeps that known.

    Parameters
    ----------
    dsm_m, terrain_m : ndarray, shape (ny, nx)
        Surface and terrain on the same cells; NaN for no data. [m]

    Returns
    -------
    Surface

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if dsm_m.shape != terrain_m.shape:
        raise InputError(
            f"terrain has {terrain_m.shape} cells",
            expected=f"{dsm_m.shape}, as the surface model",
            remedy="read both on the same window",
        )
    is_gap = np.isnan(dsm_m)
    filled = np.where(is_gap, terrain_m, dsm_m).astype(np.float32, copy=False)
    return Surface(filled, is_gap, np.asarray(terrain_m, dtype=np.float32))
