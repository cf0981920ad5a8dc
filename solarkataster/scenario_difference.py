"""What a what-if scenario does to each roof and wall."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import shapely

#: A surface of one id in both runs is the same if its area and direction agree this well, as a
#: share and in degrees, and its middle lies this near.
_SAME_AREA, _SAME_DEG, _SAME_M = 0.2, 10.0, 1.5

#: Words of the column ``change``.
UNCHANGED, CHANGED, RESHAPED = "unchanged", "changed", "reshaped"
NEW, REMOVED, FAILED = "new", "removed", "failed"

_YEAR = "poa_global_year_kwh_m2"


def surface_differences(
    base: pd.DataFrame,
    scenario: pd.DataFrame,
    surface: str,
    id_column: str,
    failed: Collection[str] = (),
) -> pd.DataFrame:
    """
    Compare the surfaces of two runs by their ids.

    Parameters
    ----------
    base, scenario : DataFrame
        ``building_id``, the id, ``area_m2``, ``surface_tilt``, ``surface_azimuth``,
        ``poa_global_year_kwh_m2`` and ``geometry`` (shapely), one row per surface.
    surface : str
        "roof" or "facade".
    id_column : str
        ``roof_id`` or ``facade_id``.
    failed : collection of str
        Buildings that the scenario run could not compute: of them nothing is known.

    Returns
    -------
    DataFrame
        ``surface_id``, ``building_id``, ``surface``, ``change``, ``base_year_kwh_m2``,
        ``scenario_year_kwh_m2``, ``difference_year_kwh_m2``, the same three in kWh for the whole
        surface, ``geometry``. First the surfaces of the base in their order, then new ones. A
        surface that one run lacks has no value there, and counts as 0 kWh in the difference of
        the whole surface; per square metre there is no difference then.

    Notes
    -----
    ``change`` is "new" or "removed" where one run lacks the surface, "reshaped" where the same id
    names a surface of another area, direction or place, "changed" where the light differs, "failed"
    where the building could not be computed.
    """
    ids = pd.Index([*base[id_column], *scenario.loc[_new(base, scenario, id_column), id_column]])
    old = base.set_index(id_column).reindex(ids)
    new = scenario.set_index(id_column).reindex(ids)
    is_old, is_new = ids.isin(base[id_column]), ids.isin(scenario[id_column])
    old_m2, new_m2 = (table[_YEAR].to_numpy(dtype=np.float64) for table in (old, new))
    old_kwh, new_kwh = (
        values * table["area_m2"].to_numpy(dtype=np.float64)
        for values, table in ((old_m2, old), (new_m2, new))
    )
    same = is_old & is_new
    change = np.where(is_old, REMOVED, NEW).astype(object)
    differs = ~((old_m2 == new_m2) | (np.isnan(old_m2) & np.isnan(new_m2)))
    change[same] = np.where(differs, CHANGED, UNCHANGED)[same]
    change[same & ~_is_same(old, new)] = RESHAPED
    whole = np.where(is_new, new_kwh, 0.0) - np.where(is_old, old_kwh, 0.0)
    building = np.where(is_old, old["building_id"], new["building_id"])
    unknown = is_old & ~is_new & np.isin(building.astype(str), list(map(str, failed)))
    change[unknown], whole[unknown] = FAILED, np.nan
    return pd.DataFrame(
        {
            "surface_id": ids.to_numpy(dtype=object),
            "building_id": building,
            "surface": surface,
            "change": change,
            "base_year_kwh_m2": old_m2,
            "scenario_year_kwh_m2": new_m2,
            "difference_year_kwh_m2": new_m2 - old_m2,
            "base_year_kwh": old_kwh,
            "scenario_year_kwh": new_kwh,
            "difference_year_kwh": whole,
            "geometry": np.where(is_new, new["geometry"], old["geometry"]),
        }
    )


def _new(base: pd.DataFrame, scenario: pd.DataFrame, id_column: str) -> np.ndarray:
    return (~scenario[id_column].isin(base[id_column])).to_numpy()


def _is_same(old: pd.DataFrame, new: pd.DataFrame) -> np.ndarray:
    """Whether two surfaces of one id are one, (n_surface,) bool; True where one is missing."""
    areas = [table["area_m2"].to_numpy(dtype=np.float64) for table in (old, new)]
    with np.errstate(invalid="ignore", divide="ignore"):
        other = np.abs(areas[1] / areas[0] - 1.0) > _SAME_AREA
        tilts = [table["surface_tilt"].to_numpy(dtype=np.float64) for table in (old, new)]
        other |= np.abs(tilts[1] - tilts[0]) > _SAME_DEG
        facing = [table["surface_azimuth"].to_numpy(dtype=np.float64) for table in (old, new)]
        turned = np.abs((facing[1] - facing[0] + 180.0) % 360.0 - 180.0)
        # Nearly level planes have no facing worth the name.
        other |= (turned > _SAME_DEG) & (np.minimum(*tilts) > _SAME_DEG)
    middles = [_middles(table["geometry"]) for table in (old, new)]
    with np.errstate(invalid="ignore"):
        other |= np.hypot(*(middles[1] - middles[0]).T) > _SAME_M
    return ~other


def _middles(geometry: pd.Series) -> np.ndarray:
    """Middles of the bounds, NaN where there is no geometry; walls are lines in plan."""
    shapes = np.array([one if isinstance(one, shapely.Geometry) else None for one in geometry])
    bounds = shapely.bounds(shapes)
    return (bounds[:, :2] + bounds[:, 2:]) / 2.0


def difference_summary(differences: pd.DataFrame) -> dict[str, dict[str, float]]:
    """
    Sums by kind of surface.

    Returns
    -------
    dict
        By "roof" and "facade": ``n_changed``, ``n_new``, ``n_removed``, ``n_reshaped``,
        ``n_failed``,
        ``difference_year_kwh`` (all of them) and ``largest_loss_kwh_m2`` (of changed ones).
    """
    told: dict[str, dict[str, float]] = {}
    for surface, rows in differences.groupby("surface", sort=True):
        counts = rows["change"].value_counts()
        loss = rows.loc[rows["change"] == CHANGED, "difference_year_kwh_m2"].min()
        told[str(surface)] = {
            **{
                f"n_{word}": int(counts.get(word, 0))
                for word in (CHANGED, NEW, REMOVED, RESHAPED, FAILED)
            },
            "difference_year_kwh": round(float(rows["difference_year_kwh"].sum()), 3),
            "largest_loss_kwh_m2": round(-float(min(loss, 0.0)), 3) if loss == loss else 0.0,
        }
    return told
