"""The trees as a city's cadastre lists them: points with species, height and crown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from solarkataster.errors import InputError

if TYPE_CHECKING:
    from solarkataster.demo.town import Town

#: Genus, botanical and German name, share of the trees, and whether leaves stay in winter.
SPECIES = (
    ("Tilia", "Tilia cordata", "Winter-Linde", 0.26, False),
    ("Acer", "Acer platanoides", "Spitz-Ahorn", 0.22, False),
    ("Quercus", "Quercus robur", "Stiel-Eiche", 0.14, False),
    ("Platanus", "Platanus x hispanica", "Platane", 0.1, False),
    ("Prunus", "Prunus avium", "Vogel-Kirsche", 0.1, False),
    ("Betula", "Betula pendula", "Hänge-Birke", 0.08, False),
    ("Pinus", "Pinus sylvestris", "Wald-Kiefer", 0.06, True),
    ("Picea", "Picea abies", "Gemeine Fichte", 0.04, True),
)  # fmt: skip

#: The crown takes the upper 90 % of a tree, as in `trees.Tree.elevation_m`.
_BASE_FRACTION = 0.1


def tree_cadastre(
    town: Town, *, rounded_m: float = 0.0, missing_fraction: float = 0.0
) -> gpd.GeoDataFrame:
    """
    The town's trees in the columns of a German city's tree cadastre.

    Parameters
    ----------
    town : Town
    rounded_m : float
        Heights and diameters are multiples of this, as surveyors estimate them; 0: exact. [m]
    missing_fraction : float
        Share of the trees without height, which are the same for every rounding.

    Returns
    -------
    GeoDataFrame
        ``baumnr`` (as in `true_trees`), ``gattung``, ``art_botanisch``, ``art_deutsch``,
        ``hoehe_m``, ``kronendurchmesser_m``, ``kronenansatz_m`` (crown's base above the ground),
        ``pflanzjahr``; points. [m]

    Raises
    ------
    InputError
        If the step is negative or the share no share.
    """
    if rounded_m < 0.0 or not 0.0 <= missing_fraction <= 1.0:
        raise InputError(
            f"rounded_m = {rounded_m:g}, missing_fraction = {missing_fraction:g}",
            expected="a step of at least 0 m and a share from 0 to 1",
        )
    truth = true_trees(town)
    draws = np.random.default_rng([town.seed, 11]).random((len(truth), 2))
    named = {name: (genus, german) for genus, name, german, _, _ in SPECIES}
    height_m = _rounded(truth["height_m"].to_numpy(), rounded_m)
    return gpd.GeoDataFrame(
        {
            "baumnr": truth["tree_id"],
            "gattung": [named[species][0] for species in truth["species"]],
            "art_botanisch": truth["species"],
            "art_deutsch": [named[species][1] for species in truth["species"]],
            "hoehe_m": np.where(draws[:, 0] < missing_fraction, np.nan, height_m),
            "kronendurchmesser_m": _rounded(2.0 * truth["crown_radius_m"].to_numpy(), rounded_m),
            "kronenansatz_m": _rounded(truth["crown_base_m"].to_numpy(), rounded_m),
            "pflanzjahr": (2015 - 4.0 * height_m + 8.0 * draws[:, 1]).astype(np.int64),
        },
        geometry=truth.geometry,
        crs=town.grid.crs,
    )


def true_trees(town: Town) -> gpd.GeoDataFrame:
    """
    What the trees are: ``tree_id``, ``species``, ``is_evergreen``, ``crown_radius_m``, ``height_m``
    and ``crown_base_m`` above the ground, ``ground_elevation_m``; points. [m]
    """
    trees = town.trees
    shares = np.array([share for *_, share, _ in SPECIES])
    draws = np.random.default_rng([town.seed, 10]).random(len(trees))
    which = np.searchsorted(np.cumsum(shares)[:-1], draws * shares.sum(), side="right")
    return gpd.GeoDataFrame(
        {
            "tree_id": [f"B-{i + 1:04d}" for i in range(len(trees))],
            "species": [SPECIES[k][1] for k in which],
            "is_evergreen": [SPECIES[k][4] for k in which],
            "crown_radius_m": [tree.crown_radius_m for tree in trees],
            "height_m": [tree.height_m for tree in trees],
            "crown_base_m": [_BASE_FRACTION * tree.height_m for tree in trees],
            "ground_elevation_m": [tree.ground_elevation_m for tree in trees],
        },
        geometry=[shapely.Point(tree.easting_m, tree.northing_m) for tree in trees],
        crs=town.grid.crs,
    )


def _rounded(values_m: np.ndarray, step_m: float) -> np.ndarray:
    # Crown bases would round down to nothing.
    return np.maximum(np.rint(values_m / step_m), 1.0) * step_m if step_m else values_m
