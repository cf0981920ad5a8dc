"""Tree crowns as a second surface over the solid one, and how much light passes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.errors import InputError

#: Values of ``Canopy.kind``.
NO_CROWN, DECIDUOUS, EVERGREEN = 0, 1, 2

#: Share of deciduous crowns in leaf by month: leaves come out in April and fall in November.
_IN_LEAF = (0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0)


@dataclass(frozen=True, eq=False)
class Canopy:
    """
    Crowns in the cells of a window, over the solid surface.

    Parameters
    ----------
    top_m, base_m : ndarray, shape (ny, nx), float32
        Top and underside of the crown in the datum of the surface model, NaN where there is
        none. [m]
    kind : ndarray, shape (ny, nx), uint8
        `NO_CROWN` (0), `DECIDUOUS` (1) or `EVERGREEN` (2).

    Raises
    ------
    InputError
        If shapes differ, a kind is unknown, a crown has no height, or its base lies above its top.
    """

    top_m: np.ndarray
    base_m: np.ndarray
    kind: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("top_m", np.float32), ("base_m", np.float32), ("kind", np.uint8)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        if self.top_m.ndim != 2 or not self.top_m.shape == self.base_m.shape == self.kind.shape:
            shapes = self.top_m.shape, self.base_m.shape, self.kind.shape
            raise InputError(f"a canopy of the shapes {shapes}", expected="three rasters alike")
        if self.kind.size and self.kind.max() > EVERGREEN:
            raise InputError(f"crowns of kind {self.kind.max()}", expected="0, 1 or 2")
        is_crown = self.is_crown
        if not (np.isfinite(self.top_m) == is_crown).all():
            raise InputError("a canopy with crowns without a top, or tops without a crown")
        if (
            not (self.base_m <= self.top_m)[is_crown].all()
            or np.isfinite(self.base_m[~is_crown]).any()
        ):
            raise InputError("a canopy with crowns whose underside is unknown or above their top")

    @property
    def is_crown(self) -> np.ndarray:
        """Cells with a crown, (ny, nx) bool."""
        return self.kind != NO_CROWN

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.kind.shape[0], self.kind.shape[1]

    def part(self, window: tuple[slice, slice]) -> Canopy:
        """The crowns of some rows and columns."""
        return Canopy(self.top_m[window], self.base_m[window], self.kind[window])


def no_canopy(shape: tuple[int, int]) -> Canopy:
    """A window without crowns."""
    nothing = np.full(shape, np.nan, dtype=np.float32)
    return Canopy(nothing, nothing, np.zeros(shape, dtype=np.uint8))


@dataclass(frozen=True)
class Transmissivity:
    """
    Share of the light that passes a crown, by month from January; beam and sky alike.

    Parameters
    ----------
    deciduous, evergreen : tuple of 12 float
        0 (as a building) to 1 (as nothing). [–]

    Raises
    ------
    InputError
        If there are not twelve months, or a share lies outside 0 to 1.

    Notes
    -----
    The defaults lie between two sets of measurements. Konarska et al. 2014 (Theor. Appl. Climatol.
    117, 363–376, doi:10.1007/s00704-013-1000-3): direct light through single crowns in leaf
    1.3–5.3 %, bare 40–52 %; hence 3 % and 50 % in SOLWEIG. Wilkinson 1992, as in algorithm 1.44 of
    Tregenza and Sharples, *Daylighting algorithms* (1993): eleven broadleaved kinds 11–24 % in leaf
    and 44–54 % bare, Scots pine 27–30 % all year.
    """

    deciduous: tuple[float, ...] = (0.5, 0.5, 0.5, 0.3, *(0.1,) * 6, 0.3, 0.5)
    evergreen: tuple[float, ...] = (0.15,) * 12

    def __post_init__(self) -> None:
        for name in ("deciduous", "evergreen"):
            shares = tuple(float(share) for share in getattr(self, name))
            object.__setattr__(self, name, shares)
            if len(shares) != 12:
                raise InputError(f"{len(shares)} transmissivities of {name} crowns", expected="12")
            if not all(0.0 <= share <= 1.0 for share in shares):
                raise InputError(
                    f"transmissivity of {name} crowns from {min(shares):g} to {max(shares):g}",
                    expected="0 (opaque) to 1 (nothing there)",
                )


def seasonal_transmissivity(
    in_leaf: float = 0.1, bare: float = 0.5, evergreen: float = 0.15
) -> Transmissivity:
    """Transmissivity of deciduous crowns in leaf and bare, half of each in April and November."""
    return Transmissivity(
        tuple(leaf * in_leaf + (1.0 - leaf) * bare for leaf in _IN_LEAF), (evergreen,) * 12
    )
