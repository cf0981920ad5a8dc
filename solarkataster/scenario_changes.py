"""What a what-if scenario means for one municipality, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from solarkataster.errors import InputError, InputErrors
from solarkataster.scenario import Changes, Scenario
from solarkataster.trees import Trees, no_trees

#: Neighbours may share this much of a wall's line. [m²]
_SHARED_M2 = 0.5


def changes_of(
    scenario: Scenario,
    where: str,
    trees: Trees | None,
    building_ids: Sequence[str],
    footprints: np.ndarray,
    bounds: tuple[float, float, float, float],
) -> Changes:
    """
    What a scenario means for a municipality.

    Parameters
    ----------
    scenario : Scenario
    where : str
        Its file, for messages.
    trees : Trees or None
        The cadastre, None without one.
    building_ids : sequence of str, length n_building
    footprints : ndarray of shapely geometry, shape (n_building,)
        [m]
    bounds : tuple of float
        West, south, east, north of the surface model. [m]

    Returns
    -------
    Changes
        A tree that is felled does not grow.

    Raises
    ------
    InputErrors
        Every fault: ids that no tree or building has, or several trees; buildings added with an id
        that is taken or on one that stays; places off the surface model; nothing that changes
        anything.
    """
    known = trees if trees is not None else no_trees()
    faults = [
        *_tree_faults(scenario, where, trees),
        *_building_faults(scenario, where, building_ids, footprints),
        *_place_faults(scenario, where, bounds),
    ]
    if faults:
        raise InputErrors(faults)
    is_felled = np.zeros(len(known), dtype=bool)
    for selection in scenario.fell:
        is_felled |= selection.of(known)
    grown_by_m = np.zeros((len(known), 2))
    for growth in scenario.grow:
        at = growth.selection.of(known) & ~is_felled
        grown_by_m[at] += (growth.height_m, growth.crown_diameter_m)
    grows = (grown_by_m != 0.0).any(axis=1).astype(bool)
    place = {str(one): i for i, one in enumerate(building_ids)}
    changes = Changes(
        known.take(is_felled),
        tuple(one.area for one in scenario.fell if one.area is not None),
        known.take(grows),
        grown_by_m[grows],
        tuple(
            (one.selection.area, one.height_m)
            for one in scenario.grow
            if one.selection.area is not None or one.selection.everything
        ),
        scenario.plant,
        scenario.add,
        tuple((one, footprints[place[one]]) for one in scenario.remove),
    )
    if changes.is_empty():
        raise InputErrors(
            [
                InputError(
                    "changes nothing",
                    where=where,
                    expected="at least one fell, plant, grow, add_building or remove_building",
                    remedy="Describe a change, or use `solarkataster run`.",
                )
            ]
        )
    return changes


def _tree_faults(scenario: Scenario, where: str, trees: Trees | None) -> list[InputError]:
    wanted = [one for selection in scenario.fell for one in selection.ids]
    wanted += [one for growth in scenario.grow for one in growth.selection.ids]
    if not wanted:
        return []
    if trees is None:
        return [
            InputError(
                f"names {len(wanted)} trees by their ids",
                where=where,
                expected="a tree cadastre: trees in [inputs] of the config",
                remedy="Name the cadastre, or the trees by polygon, or by point and radius_m.",
            )
        ]
    names, counts = np.unique(trees.tree_id.astype(str), return_counts=True)
    stands = dict(zip(names.tolist(), counts.tolist(), strict=True))
    missing = sorted({one for one in wanted if one not in stands})
    several = sorted({one for one in wanted if stands.get(one, 0) > 1})
    faults = []
    if missing:
        faults.append(
            InputError(
                f"{len(missing)} ids are of no tree: {', '.join(missing[:5])}",
                where=where,
                expected="ids of the cadastre's trees that stand on the surface model",
                remedy="Correct them; `check` says which trees were left out.",
            )
        )
    if several:
        faults.append(
            InputError(
                f"{len(several)} ids stand for several trees: {', '.join(several[:5])}",
                where=where,
                expected="ids that one tree has",
                remedy="Name these trees by point and radius_m instead.",
            )
        )
    return faults


def _building_faults(
    scenario: Scenario, where: str, building_ids: Sequence[str], footprints: np.ndarray
) -> list[InputError]:
    faults = []
    place = {str(one): i for i, one in enumerate(building_ids)}
    empty = shapely.is_missing(footprints) | shapely.is_empty(footprints)
    missing = [one for one in scenario.remove if one not in place or empty[place[one]]]
    if missing:
        faults.append(
            InputError(
                f"{len(missing)} buildings to remove have no footprint: {', '.join(missing[:5])}",
                where=where,
                expected="building_id of the base run",
                remedy="Correct them in remove_building.",
            )
        )
    names = [one.building_id for one in scenario.add]
    taken = sorted({one for one in names if one in place or names.count(one) > 1})
    if taken:
        faults.append(
            InputError(
                f"ids of new buildings are taken: {', '.join(taken[:5])}",
                where=where,
                expected="ids that no other building has",
                remedy="Choose others in add_building.",
            )
        )
    stays = ~empty & ~np.isin(np.array(list(place), dtype=str), scenario.remove)
    for one in scenario.add:
        shared = shapely.area(shapely.intersection(footprints[stays], one.footprint))
        for i in np.flatnonzero(stays)[shared > _SHARED_M2]:
            faults.append(
                InputError(
                    f"the new building {one.building_id} stands on {building_ids[i]}",
                    where=where,
                    expected="new buildings on free ground",
                    remedy=f'Remove it too: [[remove_building]] id = "{building_ids[i]}"',
                )
            )
    return faults


def _place_faults(
    scenario: Scenario, where: str, bounds: tuple[float, float, float, float]
) -> list[InputError]:
    """Things that are off the surface model, mostly by another coordinate system."""
    plant = scenario.plant
    places: list[tuple[str, shapely.Geometry]] = [
        (f"the planted tree {name}", shapely.Point(x, y))
        for name, x, y in zip(plant.tree_id, plant.easting_m, plant.northing_m, strict=True)
    ]
    places += [(f"the new building {one.building_id}", one.footprint) for one in scenario.add]
    selections = [*scenario.fell, *(one.selection for one in scenario.grow)]
    areas = [one.area for one in selections if one.area is not None]
    places += [("an area of trees", area) for area in areas]
    box = shapely.box(*bounds)
    west_m, south_m, east_m, north_m = bounds
    return [
        InputError(
            f"{what} is off the surface model, around {one.centroid.x:.0f} {one.centroid.y:.0f}",
            where=where,
            expected=f"within {west_m:.0f} {south_m:.0f} {east_m:.0f} {north_m:.0f}",
            remedy="Give coordinates in the system of the surface model, easting first.",
        )
        for what, one in places
        if not shapely.intersects(box, one)
    ]
