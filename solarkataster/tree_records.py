"""Trees as a cadastre delivers them, and what is missing filled in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.species import SpeciesSizes, species_sizes
from solarkataster.trees import Trees

#: Trees of which only the species is known stand between planting and the grown size of the
#: table; this share of it is taken. [–]
_MIDDLE_AGE = 0.6

#: Crowns lower than this are hedges and young plants in the eyes of a surface model. [m]
_LEAST_CROWN_M = 0.1


@dataclass(frozen=True, eq=False)
class TreeRecords:
    """
    Trees as a cadastre delivers them, in metres; nothing judged or filled in.

    Parameters
    ----------
    tree_id : ndarray of str, shape (n_tree,)
    easting_m, northing_m : ndarray, shape (n_tree,)
        Trunk; NaN where the row has no place. [m]
    height_m, crown_diameter_m, base_m : ndarray, shape (n_tree,)
        Top and underside of the crown above the ground, diameter; NaN where unknown. [m]
    species : ndarray of object, shape (n_tree,)
        As written, None where unknown.
    remarks : dict of list of str
        What reading found, by position.
    """

    tree_id: np.ndarray
    easting_m: np.ndarray
    northing_m: np.ndarray
    height_m: np.ndarray
    crown_diameter_m: np.ndarray
    base_m: np.ndarray
    species: np.ndarray
    remarks: dict[int, list[str]]

    def __len__(self) -> int:
        return len(self.easting_m)


def complete_trees(
    records: TreeRecords,
    *,
    base_fraction: float = 0.25,
    max_height_m: float = 70.0,
    max_crown_diameter_m: float = 40.0,
) -> tuple[Trees, dict[int, str]]:
    """
    Fill in what is missing, and leave out what cannot be used.

    Parameters
    ----------
    records : TreeRecords
    base_fraction : float
        Underside of crowns of unknown base, as a share of the height. [–]
    max_height_m, max_crown_diameter_m : float
        Sizes beyond these are wrong and count as missing. [m]

    Returns
    -------
    trees : Trees
        In the order of the records; every value that was not in the cadastre is marked.
    dropped : dict of str
        Why a tree is left out, by its position in the records.

    Notes
    -----
    A missing height is the crown's diameter times height over diameter of the grown species, and
    the other way round. With neither, 60 % of the grown size is taken; of a tree whose species is
    unknown too nothing can be said, and it is left out. Unknown species count as deciduous.
    """
    n = len(records)
    marks: list[list[str]] = [list(records.remarks.get(i, ())) for i in range(n)]
    height_m = _plausible(records.height_m, max_height_m, "height", marks)
    crown_m = _plausible(records.crown_diameter_m, max_crown_diameter_m, "crown", marks)
    species = species_sizes(list(records.species))
    dropped: dict[int, str] = {}
    for i in range(n):
        if not math.isfinite(records.easting_m[i] + records.northing_m[i]):
            dropped[i] = "has no place"
        elif np.isnan(height_m[i]) and np.isnan(crown_m[i]) and not species.has_size[i]:
            dropped[i] = "neither height nor crown nor species is known"
    height_m, crown_m = _filled(height_m, crown_m, species, marks)
    height_m = np.minimum(height_m, max_height_m)
    crown_m = np.minimum(crown_m, max_crown_diameter_m)
    base_m = _bases(records.base_m, height_m, base_fraction, marks)
    for unknown in np.flatnonzero(~species.is_known):
        name = records.species[unknown]
        what = f"species {name} is not known" if name else "has no species"
        marks[unknown].append(f"{what}: taken as deciduous")
    keep = np.array([i not in dropped for i in range(n)], dtype=bool)
    whole = (height_m, crown_m, base_m, species.kind)
    height_m, crown_m, base_m, kind = (values[keep] for values in whole)
    trees = Trees(
        records.tree_id[keep],
        records.easting_m[keep],
        records.northing_m[keep],
        height_m,
        crown_m,
        base_m,
        kind,
        tuple("; ".join(marks[i]) for i in np.flatnonzero(keep)),
    )
    return trees, dropped


def _plausible(
    values_m: np.ndarray, most_m: float, name: str, marks: list[list[str]]
) -> np.ndarray:
    """The values with those that no tree has as NaN."""
    values_m = np.array(values_m, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrong = (values_m <= 0.0) | (values_m > most_m) | np.isinf(values_m)
    for i in np.flatnonzero(wrong):
        marks[i].append(f"{name} of {values_m[i]:g} m cannot be")
    values_m[wrong] = np.nan
    return values_m


def _filled(
    height_m, crown_m, species: SpeciesSizes, marks: list[list[str]]
) -> tuple[np.ndarray, np.ndarray]:
    """Heights and crowns without gaps; see :func:`complete_trees`."""
    slender = species.height_m / species.crown_diameter_m
    no_height, no_crown = np.isnan(height_m), np.isnan(crown_m)
    neither = no_height & no_crown
    height_m = np.where(no_height, crown_m * slender, height_m)
    crown_m = np.where(no_crown, height_m / slender, crown_m)
    height_m = np.where(neither, _MIDDLE_AGE * species.height_m, height_m)
    crown_m = np.where(neither, _MIDDLE_AGE * species.crown_diameter_m, crown_m)
    for i in np.flatnonzero(no_height & ~neither):
        marks[i].append("height from the crown")
    for i in np.flatnonzero(no_crown & ~neither):
        marks[i].append("crown from the height")
    for i in np.flatnonzero(neither):
        marks[i].append("height and crown from the species")
    return height_m, crown_m


def _bases(base_m, height_m, base_fraction: float, marks: list[list[str]]) -> np.ndarray:
    """Undersides of the crowns; a base of 0 is a crown down to the ground, and is kept."""
    with np.errstate(invalid="ignore"):
        wrong = (base_m < 0.0) | (base_m > height_m - _LEAST_CROWN_M)
    for i in np.flatnonzero(wrong):
        marks[i].append(f"crown's base of {base_m[i]:g} m cannot be")
    return np.where(np.isnan(base_m) | wrong, base_fraction * height_m, base_m)
