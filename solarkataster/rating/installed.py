"""Installed plants of the register against the potential: by place and year, never by building."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from solarkataster.layers_statistics import INSTALLED_COLUMNS, INSTALLED_YEAR_COLUMNS
from solarkataster.rating.districts import district_of
from solarkataster.rating.reasons import german_number
from solarkataster.rating.statistics import UNNAMED, known_sum, sorted_names

#: Kinds of plants as the reader of the register names them. What is not told is compared with
#: roofs, as most plants stand there; it is counted.
ON_BUILDINGS, ON_BALCONIES = ("Gebäude", ""), ("Balkon",)

#: A single plant on a roof above this is told: few in Germany are larger, while watts that were
#: entered as kilowatts, 9900 for 9.9, are common. It counts all the same. [kWp]
LARGEST_USUAL_KWP = 5000.0


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
    """

    table: pd.DataFrame
    by_year: pd.DataFrame


def installed_plants(
    plants: pd.DataFrame,
    municipality: str,
    statistics: pd.DataFrame,
    districts: tuple[np.ndarray, np.ndarray] | None = None,
) -> Installed:
    """
    Plants of a municipality against what would fit on its roofs.

    Parameters
    ----------
    plants : DataFrame, one row per plant in operation
        Those of the municipality: ``power_kwp`` (of the modules), ``commissioned`` (datetime64, NaT
        if unknown), ``postcode``, ``ags``, ``location_kind`` (all empty if unknown); ``easting_m``
        and ``northing_m``, NaN without coordinates.
    municipality : str
    statistics : DataFrame
        Of :func:`solarkataster.rating.statistics.statistics`: potential of municipality and
        districts.
    districts : (ndarray of str, ndarray of shapely geometry), each of shape (n,), optional
        Names and areas, in the coordinate system of the plants. [m]

    Returns
    -------
    Installed
        Rows of the municipality, of each postcode and, with ``districts``, of each district.
        Postcodes and districts sum up to the municipality; what cannot be placed is
        ``ohne Angabe``. Plants of several municipalities have no share of the potential. Districts
        have one only if every plant has coordinates; the register gives none for small plants.

    Notes
    -----
    The power of the modules (gross) is compared, not that of the inverters. Plants that were taken
    down are in no year: the growth is that of the plants which still run.
    """
    labels = {
        "municipality": np.full(len(plants), municipality, dtype=object),
        "postcode": _named(plants["postcode"].to_numpy(dtype=object)),
    }
    if districts is not None:
        labels["district"] = _named(district_of(_points(plants), *districts)[0])
    potential_kwp = _potential(statistics)
    doubts = _doubts(plants)
    rows, years = [], []
    for level, label in labels.items():
        known = {name for at, name in potential_kwp if at == level}
        for name in sorted_names(set(label) | (known if level == "district" else set())):
            group, kwp = plants[label == name], potential_kwp.get((level, name), np.nan)
            row = _row(group, kwp, doubts[level])
            rows.append({"level": level, "name": name} | row)
            share_of_kwp = np.nan if np.isnan(row["used_fraction"]) else kwp
            years += [{"level": level, "name": name} | y for y in _by_year(group, share_of_kwp)]
    return Installed(_table(rows, INSTALLED_COLUMNS), _table(years, INSTALLED_YEAR_COLUMNS))


def _doubts(plants: pd.DataFrame) -> dict[str, str]:
    """Why a level has no share of the potential, empty if it has."""
    n = len(set(plants["ags"]) - {""})
    several = f"Anlagen von {n} Gemeinden, Gemeindeschlüssel nicht angegeben" if n > 1 else ""
    partial = "nur Anlagen mit Koordinaten, kleine Anlagen haben im Register keine"
    return {
        "municipality": several,
        "postcode": "Potenzial nach Postleitzahl nicht bekannt",
        "district": several or (partial if plants["easting_m"].isna().any() else ""),
    }


def _points(plants: pd.DataFrame) -> np.ndarray:
    """Places of the plants; none without coordinates."""
    is_placed = plants["easting_m"].notna().to_numpy()
    points = np.full(len(plants), None, dtype=object)
    placed = plants[is_placed]
    points[is_placed] = shapely.points(placed["easting_m"], placed["northing_m"])
    return points


def _named(values: np.ndarray) -> np.ndarray:
    return np.where(values == "", UNNAMED, values)


def _potential(statistics: pd.DataFrame) -> dict[tuple[str, str], float]:
    roofs = statistics[statistics["surface"] == "roofs"]
    keys = zip(roofs["level"], roofs["name"], strict=True)
    return dict(zip(keys, roofs["dc_power_kwp"].astype("float64"), strict=True))


def _row(plants: pd.DataFrame, potential_kwp: float, doubt: str) -> dict:
    """Figures of one place; without a share of the potential where that is in doubt."""
    power, kind = plants["power_kwp"], plants["location_kind"]
    on_buildings, on_balconies = kind.isin(ON_BUILDINGS), kind.isin(ON_BALCONIES)
    building_kwp = _kwp(power[on_buildings])
    is_known = potential_kwp > 0 and not doubt
    notes = (doubt or _note(potential_kwp, building_kwp), _too_large(power[on_buildings]))
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
        "note": "; ".join(filter(None, notes)),
    }


def _kwp(power: pd.Series) -> float:
    return known_sum(power.to_numpy(np.float64))


def _note(potential_kwp: float, building_kwp: float) -> str:
    if not potential_kwp > 0:
        return "kein Potenzial bekannt"
    if building_kwp > potential_kwp:
        return "mehr gebaut als Potenzial: Anlagen auf Dächern, die hier fehlen oder ausscheiden"
    return ""


def _too_large(power_kwp: pd.Series) -> str:
    n = n_unusually_large(power_kwp)
    if not n:
        return ""
    what = "1 Anlage" if n == 1 else f"{n} Anlagen"
    most = german_number(f"{LARGEST_USUAL_KWP:.0f}")
    return f"{what} auf Gebäuden über {most} kWp, vielleicht Watt als Kilowatt eingetragen"


def n_unusually_large(power_kwp: pd.Series) -> int:
    """How many single plants on roofs are so large that W may stand for kW; power in kWp."""
    return int((power_kwp > LARGEST_USUAL_KWP).sum())


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
