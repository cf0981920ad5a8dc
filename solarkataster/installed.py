"""Installed plants of the register against the potential: by place and year, never by building."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
import shapely

from solarkataster.crs import horizontal_crs
from solarkataster.errors import InputError
from solarkataster.layers_statistics import INSTALLED_COLUMNS, INSTALLED_YEAR_COLUMNS
from solarkataster.statistics import UNNAMED, known_sum, sorted_names

#: Kinds of plants as the reader of the register names them. What is not told is compared with
#: roofs, as most plants stand there; it is counted.
ON_BUILDINGS, ON_BALCONIES = ("Gebäude", ""), ("Balkon",)


@dataclass(frozen=True)
class Place:
    """
    The municipality, as the register knows it.

    Parameters
    ----------
    name : str
    ags : str or None
        Official municipality key, 8 digits.
    postcodes : tuple of str
        5 digits each; they place plants without a key, or all of them without ``ags``.
    """

    name: str
    ags: str | None = None
    postcodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Districts:
    """
    Districts as areas.

    Parameters
    ----------
    names : ndarray of str, shape (n,)
    areas : ndarray of shapely geometry, shape (n,)
        In the coordinate system of ``easting_m`` and ``northing_m``. [m]
    """

    names: np.ndarray
    areas: np.ndarray


@dataclass(frozen=True)
class Installed:
    """
    Installed plants and potential.

    Parameters
    ----------
    table : DataFrame
        :data:`solarkataster.layers_statistics.INSTALLED_COLUMNS`, one row per place.
    by_year : DataFrame
        :data:`solarkataster.layers_statistics.INSTALLED_YEAR_COLUMNS`, one row per place and year.
    notes : tuple of str
        What was left out or assumed, for run.json.
    """

    table: pd.DataFrame
    by_year: pd.DataFrame
    notes: tuple[str, ...]


def installed_plants(
    plants: pd.DataFrame,
    place: Place,
    statistics: pd.DataFrame,
    districts: Districts | None = None,
) -> Installed:
    """
    Plants of a municipality against what would fit on its roofs.

    Parameters
    ----------
    plants : DataFrame, one row per plant in operation
        ``power_kwp`` (of the modules), ``commissioned`` (datetime64, NaT if unknown), ``postcode``,
        ``ags``, ``location_kind`` (empty if unknown); ``easting_m`` and ``northing_m`` in the run's
        coordinate system, NaN without coordinates.
    place : Place
    statistics : DataFrame
        Of :func:`solarkataster.statistics.statistics`: potential of municipality and districts.
    districts : Districts, optional

    Returns
    -------
    Installed
        Rows of the municipality, of each postcode and, with ``districts``, of each district.
        Postcodes and districts sum up to the municipality; what cannot be placed is
        ``ohne Angabe``. Districts have a share of the potential only if every plant has
        coordinates, as the register gives none for small plants.

    Raises
    ------
    InputError
        Plants of several municipalities and nothing that tells which is meant; none of this one.

    Notes
    -----
    The power of the modules (gross) is compared, not that of the inverters. Plants that were taken
    down are in no year: the growth is that of the plants which still run.
    """
    is_here, notes = _plants_here(plants, place)
    own = plants[is_here].reset_index(drop=True)
    labels = {
        "municipality": np.full(len(own), place.name, dtype=object),
        "postcode": _named(own["postcode"].to_numpy(dtype=object)),
    }
    if districts is not None:
        labels["district"] = _district_of(own, districts)
    potential_kwp = _potential(statistics)
    rows, years = [], []
    for level, label in labels.items():
        known = {name for at, name in potential_kwp if at == level}
        for name in sorted_names(set(label) | (known if level == "district" else set())):
            group = own[label == name]
            kwp = potential_kwp.get((level, name), np.nan)
            row = _row(group, kwp, level, bool(own["easting_m"].isna().any()))
            rows.append({"level": level, "name": name} | row)
            is_whole = not np.isnan(row["used_fraction"])
            by_year = _by_year(group, kwp if is_whole else np.nan)
            years += [{"level": level, "name": name} | year for year in by_year]
    return Installed(
        _table(rows, INSTALLED_COLUMNS), _table(years, INSTALLED_YEAR_COLUMNS), tuple(notes)
    )


def with_coordinates(plants: pd.DataFrame, crs: str) -> pd.DataFrame:
    """
    Plants with their place in the run's coordinate system.

    Parameters
    ----------
    plants : DataFrame
        ``latitude`` and ``longitude`` (WGS 84), both NaN where unknown. [°]
    crs : str
        Coordinate system of the run, WKT or authority code.

    Returns
    -------
    DataFrame
        With ``easting_m`` and ``northing_m``, NaN where the place is unknown.
    """
    to_plane = pyproj.Transformer.from_crs("EPSG:4326", horizontal_crs(crs), always_xy=True)
    degrees = plants["longitude"].to_numpy(), plants["latitude"].to_numpy()
    easting_m, northing_m = (
        np.asarray(one, dtype=np.float64) for one in to_plane.transform(*degrees)
    )
    unknown = ~(np.isfinite(easting_m) & np.isfinite(northing_m))
    return plants.assign(
        easting_m=np.where(unknown, np.nan, easting_m),
        northing_m=np.where(unknown, np.nan, northing_m),
    )


def _plants_here(plants: pd.DataFrame, place: Place) -> tuple[np.ndarray, list[str]]:
    """Which plants are the municipality's, and what to tell of the others."""
    ags, postcode = (plants[name].to_numpy(dtype=object) for name in ("ags", "postcode"))
    in_postcode = np.isin(postcode, list(place.postcodes))
    notes = []
    if place.ags is not None:
        is_here = (ags == place.ags) | ((ags == "") & in_postcode)
    elif place.postcodes:
        is_here = in_postcode
        notes.append("plants were chosen by postcode, which may reach into other municipalities")
    else:
        keys = sorted(set(ags))
        if len(keys) != 1 or keys == [""]:
            raise InputError(
                f"plants of {len(set(keys) - {''})} municipalities, {int((ags == '').sum())} of "
                f"{len(plants)} without municipality key",
                where="installed plants",
                expected="to know which of them are meant",
                remedy="Set ags or postcodes in [municipality] of the config.",
            )
        is_here = np.ones(len(plants), dtype=bool)
        notes.append(f"all plants have the municipality key {keys[0]}; it was not asked for")
    if not is_here.any():
        asked = f"ags {place.ags}" if place.ags else f"postcodes {', '.join(place.postcodes)}"
        common = pd.Series(ags[ags != ""]).mode()
        found = f"; most have the key {common[0]}" if len(common) else ""
        raise InputError(
            f"none of {len(plants)} plants lies in the municipality{found}",
            where="installed plants",
            expected=asked,
            remedy="Export the plants of this municipality, or correct [municipality].",
        )
    if not is_here.all():
        n = int((~is_here).sum())
        notes.append(f"{n} of {len(plants)} plants lie in other municipalities and are left out")
    return is_here, notes


def _named(values: np.ndarray) -> np.ndarray:
    return np.where(values == "", UNNAMED, values)


def _district_of(plants: pd.DataFrame, districts: Districts) -> np.ndarray:
    """District of each plant; where areas overlap the first name of the alphabet."""
    order = np.argsort(districts.names.astype(str), kind="stable")
    points = shapely.points(plants["easting_m"].to_numpy(), plants["northing_m"].to_numpy())
    placed = np.flatnonzero(plants["easting_m"].notna())
    tree = shapely.STRtree(districts.areas[order])
    at, area = tree.query(points[placed], predicate="intersects")
    first = np.full(len(plants), len(order))
    np.minimum.at(first, placed[at], area)
    names = np.append(districts.names[order].astype(object), UNNAMED)
    return names[first]


def _potential(statistics: pd.DataFrame) -> dict[tuple[str, str], float]:
    roofs = statistics[statistics["surface"] == "roofs"]
    keys = zip(roofs["level"], roofs["name"], strict=True)
    return dict(zip(keys, roofs["dc_power_kwp"].astype("float64"), strict=True))


def _row(plants: pd.DataFrame, potential_kwp: float, level: str, is_partial: bool) -> dict:
    """Figures of one place; of districts some plants are missing if any has no coordinates."""
    power, kind = plants["power_kwp"], plants["location_kind"]
    on_buildings, on_balconies = kind.isin(ON_BUILDINGS), kind.isin(ON_BALCONIES)
    building_kwp = _kwp(power[on_buildings])
    is_known = potential_kwp > 0 and not (level == "district" and is_partial)
    return {
        "n_plants": len(plants),
        "installed_kwp": _kwp(power),
        "building_kwp": building_kwp,
        "balcony_kwp": _kwp(power[on_balconies]),
        "other_kwp": _kwp(power[~on_buildings & ~on_balconies]),
        "n_balcony": int(on_balconies.sum()),
        "n_unknown_kind": int((kind == "").sum()),
        "n_without_coordinates": int(plants["easting_m"].isna().sum()),
        "n_without_date": int(plants["commissioned"].isna().sum()),
        "potential_kwp": potential_kwp,
        "used_fraction": building_kwp / potential_kwp if is_known else np.nan,
        "note": _note(level, potential_kwp, building_kwp, is_partial),
    }


def _kwp(power: pd.Series) -> float:
    return known_sum(power.to_numpy(np.float64))


def _note(level: str, potential_kwp: float, building_kwp: float, is_partial: bool) -> str:
    if level == "district" and is_partial:
        return "nur Anlagen mit Koordinaten, kleine Anlagen haben im Register keine"
    if level == "postcode":
        return "Potenzial nach Postleitzahl nicht bekannt"
    if not potential_kwp > 0:
        return "kein Potenzial bekannt"
    if building_kwp > potential_kwp:
        return "mehr gebaut als Potenzial: Anlagen auf Dächern, die hier fehlen oder ausscheiden"
    return ""


def _by_year(plants: pd.DataFrame, potential_kwp: float) -> list[dict]:
    """Growth from the first year to the last one, years without a new plant included."""
    year = plants["commissioned"].dt.year
    if not year.notna().any():
        return []
    rows: list[dict] = []
    before_kwp = np.nan
    for at in range(int(year.min()), int(year.max()) + 1):
        new, until = plants[year == at], plants[year <= at]
        on_buildings = until["location_kind"].isin(ON_BUILDINGS)
        building_kwp = _kwp(until["power_kwp"][on_buildings])
        row = {
            "year": at,
            "n_new": len(new),
            "new_kwp": _kwp(new["power_kwp"]),
            "n_plants": len(until),
            "installed_kwp": _kwp(until["power_kwp"]),
            "building_kwp": building_kwp,
            "used_fraction": building_kwp / potential_kwp,
        }
        rows.append(row | {"growth_fraction": row["new_kwp"] / before_kwp})
        before_kwp = row["installed_kwp"]
    return rows


def _table(rows: list[dict], columns: tuple) -> pd.DataFrame:
    kinds = {"str": "object"}
    table = pd.DataFrame(rows, columns=[column.name for column in columns])
    return table.astype({column.name: kinds.get(column.dtype, column.dtype) for column in columns})
