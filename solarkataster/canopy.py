"""Tree crowns as a second surface over the solid one, and how much light passes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from solarkataster.errors import InputError
from solarkataster.roughness import EAVES_M, FLAT_M, count_around, half_width, is_edge, is_flat

#: Values of ``Canopy.kind``.
NO_CROWN, DECIDUOUS, EVERGREEN = 0, 1, 2

#: Plants lower than this shade little and stay part of the solid surface. [m]
MIN_HEIGHT_M = 2.0

#: Width of the surroundings of a crown's cell, and share of them that is crown at least: masts and
#: wires have less. [m, –]
_CROWD_M, _CROWD_SHARE = 2.5, 0.25

#: Over a roof crowns stand this high at least, and reach this far inwards at most. [m]
_OVER_ROOF_M, _INWARDS_M = 1.0, 8.0

#: Holes this wide close in the crowns of a winter flight. [m]
_HOLE_M = 2.0

#: The tree's height counts from the highest cell within half of this. [m]
_CROWN_M = 5.0

#: Smaller blocks are not worth a word. [m²]
_MIN_BLOCK_M2 = 6.0

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


def with_heights(
    found: Canopy,
    height_m: np.ndarray,
    terrain_m: np.ndarray,
    solid_m: np.ndarray,
    *,
    base_fraction: float = 0.25,
    kind: int = DECIDUOUS,
) -> Canopy:
    """
    Crowns of a canopy raster beside those that the surface model shows.

    Parameters
    ----------
    found : Canopy
        What the surface model shows; its crowns stay as they are.
    height_m : ndarray, shape (ny, nx)
        Height of crowns above the ground, NaN or 0 where there are none. [m]
    terrain_m, solid_m : ndarray, shape (ny, nx)
        Bare ground, and what is no crown: crowns count only above it. [m]
    base_fraction : float
        Underside of the new crowns, as a share of their height. [–]
    kind : int
        Of the new crowns.

    Returns
    -------
    Canopy
    """
    top_m = (terrain_m + height_m).astype(np.float32)
    with np.errstate(invalid="ignore"):
        is_new = (height_m > MIN_HEIGHT_M) & (top_m > solid_m) & ~found.is_crown
    base_m = np.maximum(terrain_m + base_fraction * height_m, solid_m)
    return Canopy(
        np.where(is_new, top_m, found.top_m),
        np.where(is_new, np.minimum(base_m, top_m), found.base_m),
        np.where(is_new, kind, found.kind),
    )


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


@dataclass(frozen=True, eq=False)
class Blocks:
    """
    What stands outside all footprints and is too smooth for a tree: garages, sheds, bridges, new
    houses.

    Parameters
    ----------
    label : ndarray, shape (ny, nx), int32
        1 to n in the cells of each block, 0 elsewhere; numbers hold in this window only.
    row, col : ndarray, shape (n,)
        Middle of each, in cells.
    area_m2, height_m : ndarray, shape (n,)
        Its area in the window and mean height over the terrain. [m², m]
    """

    label: np.ndarray
    row: np.ndarray
    col: np.ndarray
    area_m2: np.ndarray
    height_m: np.ndarray

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, eq=False)
class FoundCanopy:
    """
    A surface taken apart.

    Parameters
    ----------
    solid_m : ndarray, shape (ny, nx), float32
        The surface without its crowns: terrain below them, or the roof. [m]
    canopy : Canopy
    blocks : Blocks
        What stayed solid and may be missing from the footprints.
    """

    solid_m: np.ndarray
    canopy: Canopy
    blocks: Blocks


def find_canopy(
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    is_building: np.ndarray,
    cell_size_m: float,
    *,
    confirmed: np.ndarray | None = None,
    hinted: np.ndarray | None = None,
    solid: np.ndarray | None = None,
    roof_m: np.ndarray | None = None,
    base_fraction: float = 0.25,
    kind: int = DECIDUOUS,
    winter_flight: bool = False,
) -> FoundCanopy:
    """
    Tell the crowns of a surface model from what is solid.

    Parameters
    ----------
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        Surface and bare ground; NaN for no data, where nothing is found. [m]
    is_building : ndarray, shape (ny, nx), bool
        Cells in footprints.
    cell_size_m : float
        Edge of one cell. [m]
    confirmed : ndarray, shape (ny, nx), bool, optional
        Cells known to be plants, each for itself: laser points of their classes, several echoes, a
        canopy raster. They are crowns even where smooth.
    hinted : ndarray, shape (ny, nx), bool, optional
        Where trees stand by a cadastre or the land cover, which know no single cells: smooth things
        are blocks here only if twice as flat.
    solid : ndarray, shape (ny, nx), bool, optional
        Cells known to be no plants, as of laser points on buildings or bridges.
    roof_m : ndarray, shape (ny, nx), optional
        Height of the roof planes, NaN where none is known; crowns over roofs are only found where
        it is. [m]
    base_fraction : float
        Underside of the crowns, as a share of the tree's height. [–]
    kind : int
        Of all crowns, `DECIDUOUS` or `EVERGREEN`.
    winter_flight : bool
        Flown without leaves: the surface model falls through bare crowns here and there, so holes
        up to 2 m wide in them are closed. What bare crowns lack in height is not known and stays.

    Returns
    -------
    FoundCanopy

    Raises
    ------
    InputError
        If shapes differ or the share is not in 0 to 1.

    Notes
    -----
    Plants are what stands more than 2 m over the terrain outside footprints and is rough: no
    window of 2 m through the cell lets a plane pass within `FLAT_M`, or those that do are the top
    of a dome. Edges of smooth things are not rough by that rule, and in-between heights along them
    are told by not being higher. Over roofs a crown stands 1 m above the plane, is rough, and
    hangs together with one outside. Every decision looks no farther than 20 m, so it does not
    depend on the window.
    """
    _check(elevation_m, base_fraction, terrain_m, is_building, confirmed, hinted, solid, roof_m)
    elevation_m = np.asarray(elevation_m, dtype=np.float32)
    no_cells = np.zeros(elevation_m.shape, dtype=bool)
    confirmed = no_cells if confirmed is None else confirmed
    solid = no_cells if solid is None else solid
    if roof_m is None:
        roof_m = np.full(elevation_m.shape, np.float32(np.nan))
    is_raised = elevation_m - terrain_m > MIN_HEIGHT_M  # False for NaN
    over_m = np.where(is_building, elevation_m - roof_m, np.float32(np.nan))
    is_house = is_building & ~(over_m > _OVER_ROOF_M)  # also where no roof is known
    likely = (over_m > _OVER_ROOF_M) if hinted is None else hinted | (over_m > _OVER_ROOF_M)
    limit_m = np.where(likely, FLAT_M / 2.0, FLAT_M)
    is_smooth = is_flat(elevation_m, terrain_m, is_raised, is_house, cell_size_m, limit_m)
    is_smooth |= solid & is_raised
    is_crown = is_raised & ~is_smooth & ~is_building
    is_on_roof = np.abs(over_m) <= _OVER_ROOF_M  # False for NaN
    is_crown &= ~is_edge(
        elevation_m, is_raised, is_smooth | is_on_roof, is_smooth | is_house, cell_size_m
    )
    is_crown |= confirmed & is_raised & ~is_building & ~solid
    top_m = elevation_m
    if winter_flight:
        may_close = ~is_building & ~is_smooth
        is_crown, top_m = _closed(is_crown, may_close, elevation_m, terrain_m, cell_size_m)
    half = half_width(_CROWD_M, cell_size_m)
    is_crown &= count_around(is_crown, half) >= _CROWD_SHARE * (2 * half + 1) ** 2
    overhanging = (over_m > _OVER_ROOF_M) & (~is_smooth | confirmed) & ~solid
    if is_crown.any() and overhanging.any():
        is_crown = ndimage.binary_dilation(
            is_crown, np.ones((3, 3)), math.ceil(_INWARDS_M / cell_size_m), overhanging | is_crown
        )
    solid_m = np.where(is_crown, np.where(is_building, roof_m, terrain_m), elevation_m)
    solid_m = solid_m.astype(np.float32)
    canopy = _canopy(is_crown, top_m, solid_m, terrain_m, cell_size_m, base_fraction, kind)
    beside_smooth = ndimage.maximum_filter(is_smooth, 2 * half_width(EAVES_M, cell_size_m) + 1)
    is_block = beside_smooth & is_raised & ~is_building & ~is_crown
    blocks = _blocks(is_block, is_building, elevation_m - terrain_m, cell_size_m)
    return FoundCanopy(solid_m, canopy, blocks)


def _check(elevation_m, base_fraction: float, *others) -> None:
    for other in others:
        if other is not None and np.shape(other) != np.shape(elevation_m):
            raise InputError(
                f"a raster of {np.shape(other)} cells beside the surface",
                expected=f"{np.shape(elevation_m)}",
            )
    if not 0.0 <= base_fraction <= 1.0:
        raise InputError(f"base_fraction = {base_fraction:g}", expected="0 to 1")


def _closed(is_crown, may_close, elevation_m, terrain_m, cell_size_m: float):
    """Crowns without holes, and their tops."""
    half = half_width(_HOLE_M, cell_size_m)
    height_m = np.where(is_crown, elevation_m - terrain_m, np.float32(0.0))
    closed_m = ndimage.grey_closing(height_m, size=(2 * half + 1,) * 2)
    is_crown = is_crown | (may_close & (closed_m > MIN_HEIGHT_M) & np.isfinite(terrain_m))
    return is_crown, np.where(is_crown, np.fmax(elevation_m, terrain_m + closed_m), elevation_m)


def _canopy(is_crown, top_m, solid_m, terrain_m, cell_size_m, base_fraction, kind) -> Canopy:
    """Crowns with undersides by the height of the tree about each cell."""
    height_m = np.where(is_crown, top_m - terrain_m, np.float32(0.0))
    tree_m = ndimage.maximum_filter(
        height_m, 2 * half_width(_CROWN_M, cell_size_m) + 1, mode="constant", cval=0.0
    )
    base_m = np.maximum(terrain_m + base_fraction * tree_m, solid_m)
    return Canopy(
        np.where(is_crown, top_m, np.nan),
        np.where(is_crown, np.minimum(base_m, top_m), np.nan),
        np.where(is_crown, kind, NO_CROWN),
    )


def _blocks(is_block, is_building, height_m, cell_size_m: float) -> Blocks:
    """Smooth things away from footprints, in the order of their first cells."""
    ring = ndimage.binary_dilation(
        is_building, np.ones((3, 3)), math.ceil(EAVES_M / cell_size_m)
    ) if is_building.any() else is_building  # fmt: skip
    label, n = ndimage.label(is_block, np.ones((3, 3)))
    cells = np.bincount(label[is_block & ~ring], minlength=n + 1)[1:]
    keep = cells * cell_size_m**2 >= _MIN_BLOCK_M2  # eaves stay away
    number = np.concatenate([[0], np.cumsum(keep) * keep]).astype(np.int32)
    label = number[label]
    row, col = np.nonzero(label)
    of = label[row, col] - 1
    n_cell = np.bincount(of, minlength=keep.sum())
    means = [
        np.bincount(of, values, minlength=keep.sum()) / n_cell
        for values in (row, col, height_m[row, col])
    ]
    return Blocks(label, means[0], means[1], n_cell * cell_size_m**2, means[2])
