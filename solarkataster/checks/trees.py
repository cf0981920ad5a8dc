"""What is wrong with a tree cadastre: as a whole, and tree by tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from solarkataster.config_inputs import TreesConfig
from solarkataster.errors import InputError
from solarkataster.io.rasters import RasterSource, read_resampled, read_window
from solarkataster.tree_records import TreeRecords, complete_trees
from solarkataster.trees import Trees, no_trees

#: Medians beyond these are no trees of a town in metres: old forests have 30 m, old planes 20 m.
_MOST_HEIGHT_M, _MOST_CROWN_M = 35.0, 25.0
#: Crown over height: columns such as Lombardy poplars have 0.15, pruned globes 1.2. [–]
_LEAST_SLENDER, _MOST_SLENDER = 0.12, 1.8
#: Height in the cadastre over height in the surface model, as medians: growth between two surveys
#: and bare crowns stay within, feet (3.3) and numbers of height classes (0.2) do not. [–]
_LEAST_AGAINST_SURFACE, _MOST_AGAINST_SURFACE = 0.4, 2.0

#: Fewer trees than this say nothing about a unit.
_LEAST_TREES = 8
#: Trees whose heights are looked up in the rasters at most.
_LOOKS = 200
#: Surface this far around a trunk is its crown, and this far from an outline no roof. [m]
_LOOK_M, _ROOF_M = 1.5, 4.0
#: Lower things under a trunk's place are no crowns. [m]
_LEAST_SHOWN_M = 2.5
#: Share of trees inside footprints that asks for a shift: houses cover a quarter of a town. [–]
_MOST_IN_BUILDINGS = 0.1
#: Two rows of one id closer than this are one tree. [m]
_SAME_PLACE_M = 1.0

#: Trees named in a note.
_NAMED = 5

_UNITS = {"ft": 0.3048, "dm": 0.1, "cm": 0.01}


@dataclass(frozen=True)
class CheckedTrees:
    """
    A cadastre that may be computed with.

    Parameters
    ----------
    trees : Trees
        Those that count, in the order of the file.
    dropped : dict of str
        Why a tree is left out, by its id; trees outside the area are only counted.
    notes : list of str
        What the reader should know, with counts.
    """

    trees: Trees = field(default_factory=no_trees)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_trees(
    where: str, records: TreeRecords, settings: TreesConfig, area: shapely.Geometry
) -> tuple[CheckedTrees, list[InputError]]:
    """
    Judge a tree cadastre.

    Parameters
    ----------
    where : str
        Its file.
    records : TreeRecords
    settings : TreesConfig
    area : shapely geometry
        What the surface model covers; trees outside are left out. [m]

    Returns
    -------
    checked : CheckedTrees
        Without trees if there are faults.
    faults : list of InputError
        No tree in the area, another unit, more bad trees than the config allows.
    """
    placed = np.isfinite(records.easting_m + records.northing_m)
    inside = placed.copy()
    shapely.prepare(area)
    inside[placed] = shapely.contains_xy(
        area, records.easting_m[placed], records.northing_m[placed]
    )
    if not inside.any():
        return CheckedTrees(), [_none_inside(where, records, placed, area)]
    near = _take(records, inside | ~placed)
    faults = unit_faults(where, near.height_m, near.crown_diameter_m)
    if faults:
        return CheckedTrees(), faults
    trees, dropped = complete_trees(
        near,
        base_fraction=settings.default_crown_base_fraction,
        max_height_m=settings.max_height_m,
        max_crown_diameter_m=settings.max_crown_diameter_m,
    )
    bad = _bad(near, settings) | np.isin(np.arange(len(near)), list(dropped))
    trees, repeated = _without_repeats(trees)
    left_out = {str(near.tree_id[i]): why for i, why in dropped.items()} | repeated
    n_bad = int(bad.sum()) + len(repeated)
    if n_bad > settings.max_bad_fraction * len(near):
        reasons = [*_worst(near, settings), *left_out.values()]
        return CheckedTrees(), [_too_many(where, n_bad, len(near), reasons, settings)]
    notes = _notes(where, int((placed & ~inside).sum()), trees, left_out)
    return CheckedTrees(trees, left_out, notes), []


def unit_faults(where: str, height_m: np.ndarray, crown_m: np.ndarray) -> list[InputError]:
    """Heights and crowns whose medians no town's trees have: another unit, or another column."""
    faults = []
    kinds = (
        ("height", height_m, _MOST_HEIGHT_M, "height_unit", "height_column"),
        ("crown diameter", crown_m, _MOST_CROWN_M, "crown_unit", "crown_diameter_column"),
    )
    for name, values_m, most_m, unit, column in kinds:
        known = values_m[np.isfinite(values_m) & (values_m > 0.0)]
        if known.size < _LEAST_TREES or np.median(known) <= most_m:
            continue
        faults.append(
            InputError(
                f"the median {name} of {known.size} trees is {np.median(known):.0f} m",
                where=where,
                expected=f"at most {most_m:.0f} m",
                remedy=_unit_remedy(float(np.median(known)), unit, column),
            )
        )
    both = np.isfinite(height_m) & np.isfinite(crown_m) & (height_m > 0.0) & (crown_m > 0.0)
    if faults or both.sum() < _LEAST_TREES:
        return faults
    slender = float(np.median(crown_m[both] / height_m[both]))
    if _LEAST_SLENDER <= slender <= _MOST_SLENDER:
        return []
    return [
        InputError(
            f"crowns are {slender:.2f} times as wide as the trees are high, by the median of "
            f"{int(both.sum())}",
            where=where,
            expected=f"{_LEAST_SLENDER:g} to {_MOST_SLENDER:g}: one unit for both",
            remedy="Name units and columns in [trees]: height_unit, crown_unit, height_column, "
            "crown_diameter_column.",
        )
    ]


def _unit_remedy(median_m: float, unit: str, column: str) -> str:
    fits = [name for name, metres in _UNITS.items() if 4.0 <= median_m * metres <= 22.0]
    if not fits:
        return f"Name the right column in [trees]: {column} = ..."
    return f'If they are in {fits[0]}, say so in [trees]: {unit} = "{fits[0]}"'


def surface_fault(
    where: str, trees: Trees, dsm: RasterSource, dtm: RasterSource, outlines: np.ndarray
) -> tuple[list[InputError], list[str]]:
    """
    Compare heights of the cadastre with the surface model, at trees it shows beside no roof.

    Parameters
    ----------
    where : str
    trees : Trees
    dsm, dtm : RasterSource
    outlines : ndarray of shapely geometry
        Footprints; missing ones are None. [m]

    Returns
    -------
    faults : list of InputError
        A median ratio below 0.4 or above 2.
    notes : list of str
        How many trees the surface does not show.
    """
    measured = np.array(["height" not in mark for mark in trees.marks], dtype=bool)
    points = shapely.points(trees.easting_m, trees.northing_m)
    known = np.array([one for one in outlines if one is not None and not one.is_empty])
    free = measured.copy()
    if len(known):
        free[shapely.STRtree(known).query(points, "dwithin", _ROOF_M)[0]] = False
    at = np.flatnonzero(free)
    at = at[:: max(1, len(at) // _LOOKS)]
    shown_m = np.array([_shown_height_m(trees, int(i), dsm, dtm) for i in at])
    seen = shown_m > _LEAST_SHOWN_M
    notes = []
    tall = trees.height_m[at] > 10.0
    if tall.sum() >= _LEAST_TREES and (tall & ~seen).sum() > 0.5 * tall.sum():
        notes.append(
            f"{where}: the surface model shows nothing at {int((tall & ~seen).sum())} of "
            f"{int(tall.sum())} trees over 10 m; were they felled, or is it a model of the ground?"
        )
    if seen.sum() < _LEAST_TREES:
        return [], notes
    ratio = float(np.median(trees.height_m[at][seen] / shown_m[seen]))
    if _LEAST_AGAINST_SURFACE <= ratio <= _MOST_AGAINST_SURFACE:
        return [], notes
    units = "feet" if 2.6 < ratio < 4.2 else "another unit"
    if ratio < 1.0:
        units = "numbers of height classes, or another unit"
    return [
        InputError(
            f"heights are {ratio:.2f} times those of the surface model, by the median of "
            f"{int(seen.sum())} trees",
            where=where,
            expected=f"{_LEAST_AGAINST_SURFACE:g} to {_MOST_AGAINST_SURFACE:g}",
            remedy=f"These look like {units}: name height_unit or height_column in [trees].",
        )
    ], notes


def told_in_buildings(where: str, trees: Trees, outlines: np.ndarray) -> tuple[Trees, list[str]]:
    """
    Mark trees whose trunk stands in a footprint, where a cadastre in a shifted system puts many.

    Parameters
    ----------
    where : str
    trees : Trees
    outlines : ndarray of shapely geometry
        Footprints; missing ones are None. [m]

    Returns
    -------
    trees : Trees
        All of them: trees do stand on underground garages.
    notes : list of str
        How many, and which.
    """
    points = shapely.points(trees.easting_m, trees.northing_m)
    at = np.unique(shapely.STRtree(outlines).query(points, "intersects")[0])
    if not at.size:
        return trees, []
    marks = list(trees.marks)
    for i in at.tolist():
        marks[i] = "; ".join(filter(None, (marks[i], "trunk inside a footprint")))
    named = _named(trees.tree_id[at].tolist())
    note = f"{where}: {at.size} trees stand inside a footprint: {named}"
    if at.size >= _LEAST_TREES and at.size > _MOST_IN_BUILDINGS * len(trees):
        note += "; are they shifted? Compare the coordinate systems"
    return replace(trees, marks=tuple(marks)), [note]


def _shown_height_m(trees: Trees, i: int, dsm: RasterSource, dtm: RasterSource) -> float:
    """Highest surface over its terrain around a trunk; 0 where there is none. [m]"""
    east_m, north_m = float(trees.easting_m[i]), float(trees.northing_m[i])
    box = (east_m - _LOOK_M, north_m - _LOOK_M, east_m + _LOOK_M, north_m + _LOOK_M)
    window = dsm.grid.crop(box)
    if 0 in window.shape:
        return 0.0
    height_m = read_window(dsm, window) - read_resampled(dtm, window)
    return float(np.nanmax(height_m)) if np.isfinite(height_m).any() else 0.0


def _take(records: TreeRecords, which: np.ndarray) -> TreeRecords:
    at = np.flatnonzero(which)
    new = {int(old): i for i, old in enumerate(at)}
    return TreeRecords(
        records.tree_id[at],
        records.easting_m[at],
        records.northing_m[at],
        records.height_m[at],
        records.crown_diameter_m[at],
        records.base_m[at],
        records.species[at],
        {new[i]: texts for i, texts in records.remarks.items() if i in new},
    )


def _wrong_sizes(records: TreeRecords, settings: TreesConfig) -> dict[str, np.ndarray]:
    """Kinds of sizes that cannot be. A height or crown of 0 is how cadastres write 'unknown'."""
    with np.errstate(invalid="ignore"):
        return {
            "negative height": records.height_m < 0.0,
            f"height over {settings.max_height_m:g} m": records.height_m > settings.max_height_m,
            "negative crown": records.crown_diameter_m < 0.0,
            f"crown over {settings.max_crown_diameter_m:g} m": records.crown_diameter_m
            > settings.max_crown_diameter_m,
        }


def _bad(records: TreeRecords, settings: TreesConfig) -> np.ndarray:
    """Trees with an impossible size or text where a number should be."""
    bad = np.isin(np.arange(len(records)), list(records.remarks))
    for wrong in _wrong_sizes(records, settings).values():
        bad |= wrong
    return bad


def _worst(records: TreeRecords, settings: TreesConfig) -> list[str]:
    wrong = _wrong_sizes(records, settings).items()
    texts = [name for name, which in wrong for _ in range(int(which.sum()))]
    return texts + ["unreadable value or no id" for _ in records.remarks]


def _without_repeats(trees: Trees) -> tuple[Trees, dict[str, str]]:
    """One row for each tree, ids that stand for several places marked; and why rows went."""
    first: dict[str, int] = {}
    keep = np.ones(len(trees), dtype=bool)
    dropped: dict[str, str] = {}
    marks = list(trees.marks)
    for i, one in enumerate(map(str, trees.tree_id)):
        if one not in first:
            first[one] = i
            continue
        j = first[one]
        away_m = np.hypot(
            trees.easting_m[i] - trees.easting_m[j], trees.northing_m[i] - trees.northing_m[j]
        )
        if away_m <= _SAME_PLACE_M:
            keep[i] = False
            dropped[f"{one} (again)"] = "the same tree stands there twice"
            continue
        for k in (i, j):
            if "id stands" not in marks[k]:
                marks[k] = "; ".join(filter(None, (marks[k], "id stands for several trees")))
    return replace(trees, marks=tuple(marks)).take(keep), dropped


def _none_inside(
    where: str, records: TreeRecords, placed: np.ndarray, area: shapely.Geometry
) -> InputError:
    x, y = records.easting_m[placed], records.northing_m[placed]
    west, south, east, north = area.bounds
    found = "no tree has a place"
    remedy = "Give the rows points, or name x_column and y_column in [trees]."
    if len(x):
        extent = f"{x.min():.0f} {y.min():.0f} {x.max():.0f} {y.max():.0f}"
        found = f"none of {len(x)} trees stands on the surface model (trees {extent})"
        remedy = "Compare the coordinate systems, or leave trees out of [inputs]."
        if shapely.contains_xy(area, y, x).any():
            remedy = "Easting and northing are exchanged: x_column and y_column in [trees]."
    return InputError(
        found,
        where=where,
        expected=f"trees within {west:.0f} {south:.0f} {east:.0f} {north:.0f}",
        remedy=remedy,
    )


def _too_many(
    where: str, n_bad: int, n: int, reasons: Sequence[str], settings: TreesConfig
) -> InputError:
    return InputError(
        f"{n_bad} of {n} trees are bad ({n_bad / n:.0%}): {_counted(reasons)}",
        where=where,
        expected=f"at most {settings.max_bad_fraction:.0%} (max_bad_fraction in [trees])",
        remedy="Correct them; if they are known and meant, raise the limit: they are then left "
        "out or filled in, and marked.",
    )


def _counted(texts: Sequence[str]) -> str:
    names, counts = np.unique(np.array(list(texts), dtype=object).astype(str), return_counts=True)
    return ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))


def _notes(where: str, n_outside: int, trees: Trees, dropped: dict[str, str]) -> list[str]:
    notes = [f"{where}: {len(trees)} trees"]
    if n_outside:
        notes.append(f"{where}: {n_outside} trees outside the surface model are left out")
    if dropped:
        notes.append(
            f"{where}: {len(dropped)} trees are left out ({_counted(list(dropped.values()))}): "
            f"{_named(list(dropped))}"
        )
    kinds: dict[str, list[str]] = {}
    for tree_id, mark in zip(trees.tree_id, trees.marks, strict=True):
        for part in filter(None, mark.split("; ")):
            kinds.setdefault(_kind_of(part), []).append(str(tree_id))
    notes += [f"{where}: {len(ids)} trees {kind}: {_named(ids)}" for kind, ids in kinds.items()]
    return notes


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


def _kind_of(mark: str) -> str:
    """A mark without what is different for every tree."""
    words = {
        "species ": "of unknown species, taken as deciduous",
        "has no species": "of unknown species, taken as deciduous",
        "height of ": "with an impossible height, filled in",
        "crown of ": "with an impossible crown, filled in",
        "crown's base of ": "with an impossible underside of the crown, filled in",
        "height and crown from the species": "with the size of their species",
        "height from": "with the height from the crown",
        "crown from": "with the crown from the height",
        "id stands": "with an id that several have",
    }
    for start, kind in words.items():
        if mark.startswith(start):
            return kind
    return "with an unreadable value" if "is no number" in mark else mark
