"""Inputs that rating needs: what is known of buildings, and layers and lists beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from solarkataster.checks.canopy import with_parts
from solarkataster.checks.values import Amount, judged_amounts
from solarkataster.config import Config
from solarkataster.crs import map_coordinates
from solarkataster.errors import InputError, collected
from solarkataster.io.areas import PUBLIC_SPACE, read_districts, read_layers, read_parking
from solarkataster.io.footprints import DISPLACED_ID_COLUMN, ID_COLUMN, id_texts
from solarkataster.io.installed_plants import InstalledPlants, read_installed_plants
from solarkataster.io.monuments import read_monuments
from solarkataster.io.own_buildings import read_own_buildings
from solarkataster.rating.districts import district_of, overlaps_of
from solarkataster.rating.installed import LARGEST_USUAL_KWP, ON_BUILDINGS, n_unusually_large
from solarkataster.rating.monuments import monument_kinds

#: Columns of `RatingInputs.buildings` with the values of a building that has none.
_UNKNOWN = {
    "use": "", "annual_demand_kwh": np.nan, "floor_area_m2": np.nan, "n_flats": np.nan, "owner": "",
    "district": "", "is_own_building": False, "monument_kind": "",
}  # fmt: skip
#: Numbers that footprints may carry, by column of that table.
_AMOUNTS = {
    "annual_demand_kwh": Amount("footprint_demand", "demand in kWh a year"),
    "floor_area_m2": Amount("footprint_floor_area", "floor area in m²", zero=False),
    "n_flats": Amount("footprint_flats", "number of dwellings", whole=True),
}
_TEXTS = {"use": "footprint_use", "owner": "footprint_owner"}
#: Config keys that name columns of the footprints.
COLUMN_KEYS = (*_TEXTS.values(), *(one.key for one in _AMOUNTS.values()))
_SPACES = Amount("parking_spaces", "number of spaces", whole=True, zero=False)
#: Ids and names that a note names.
_NAMED = 5

T = TypeVar("T")


def _no_buildings() -> pd.DataFrame:
    return pd.DataFrame({ID_COLUMN: np.zeros(0, dtype=object), **dict.fromkeys(_UNKNOWN, ())})


@dataclass(frozen=True, eq=False)
class RatingInputs:
    """
    What rating knows beside the light; None for an input that the config does not name.

    Parameters
    ----------
    buildings : DataFrame
        One row per footprint, in their order: ``building_id``; ``use`` and ``owner`` (text, empty
        where unknown); ``annual_demand_kwh``, ``floor_area_m2``, ``n_flats`` (float64, NaN where
        unknown); ``district`` and ``monument_kind`` (text, empty where none); ``is_own_building``.
    monuments : GeoDataFrame or None
        ``kind``, ``geometry``: areas, points or lines.
    public_space : ndarray of shapely geometry or None
        Areas.
    districts : GeoDataFrame or None
        ``name``, ``geometry``; sorted by name.
    parking : GeoDataFrame or None
        ``parking_id``, ``name``, ``owner`` (text), ``n_spaces`` (float64, NaN where unknown),
        ``geometry``.
    installed : InstalledPlants or None
        Those of the municipality; its table has ``easting_m`` and ``northing_m`` too, NaN without
        coordinates.
    unknown_own_ids : tuple of str
        Ids of own buildings that no footprint has, in the order of the list.
    paths : tuple of Path
        Files of all these, and of the measured load profile.

    Notes
    -----
    All geometry is valid and in the surface model's coordinate system.
    """

    buildings: pd.DataFrame = field(default_factory=_no_buildings)
    monuments: gpd.GeoDataFrame | None = None
    public_space: np.ndarray | None = None
    districts: gpd.GeoDataFrame | None = None
    parking: gpd.GeoDataFrame | None = None
    installed: InstalledPlants | None = None
    unknown_own_ids: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()

    @property
    def monument_shapes(self) -> np.ndarray:
        """Geometries of the monuments; none if the config names none."""
        none = np.zeros(0, dtype=object)
        return none if self.monuments is None else self.monuments.geometry.to_numpy()

    def with_added(self, building_ids: Sequence[str], outlines: np.ndarray) -> RatingInputs:
        """The same with buildings behind the others, of which the district alone is known."""
        new = pd.DataFrame({ID_COLUMN: list(building_ids), **_UNKNOWN})
        if self.districts is not None and len(new):
            new["district"] = _districts_of(self.districts, outlines)[0]
        joined = pd.concat([self.buildings, new.astype(self.buildings.dtypes)], ignore_index=True)
        return replace(self, buildings=joined)


def check_rating(
    config: Config,
    crs: str | None,
    table: gpd.GeoDataFrame | None,
    outlines: np.ndarray,
    area: shapely.Geometry | None,
    notes: list[str],
) -> tuple[RatingInputs, dict[str, list[str]], list[InputError]]:
    """
    Open and judge all inputs of rating.

    Parameters
    ----------
    config : Config
    crs : str or None
        Coordinate system of the surface model.
    table : GeoDataFrame or None
        Footprints as they were read.
    outlines : ndarray of shapely geometry, shape (n_building,)
        Their outlines, repaired. [m]
    area : shapely geometry or None
        What the surface model covers. [m]
    notes : list of str
        Gets what was found, a line for each input.

    Returns
    -------
    rating : RatingInputs
    marks : dict of list of str
        Values that count as unknown, by building id.
    faults : list of InputError
    """
    inputs, faults = config.inputs, list[InputError]()
    monuments = _opened(faults, inputs.monuments, read_monuments, crs, inputs.monument_kind)
    space = _opened(faults, inputs.public_space, read_layers, PUBLIC_SPACE, crs)
    districts = _opened(faults, inputs.districts, read_districts, crs, inputs.district_name)
    parking = _opened(faults, inputs.parking, read_parking, crs, inputs.parking_spaces)
    installed = _opened(faults, inputs.installed_plants, read_installed_plants)
    for layer, key in ((monuments, "monuments"), (space, "public_space"), (parking, "parking")):
        notes += _off_notes(getattr(inputs, key), layer, area)
    if space is not None:
        notes.append(f"{inputs.public_space}: {len(space)} areas of public space")
    if parking is not None:
        parking = _with_spaces(config, parking, faults, notes)
    if installed is not None:
        installed = _here(config, installed, crs, faults, notes)
    buildings, marks, unknown = _no_buildings(), dict[str, list[str]](), tuple[str, ...]()
    if table is not None:
        buildings, marks = _known_of_buildings(config, table, faults, notes)
        _add_layers(config, buildings, outlines, monuments, districts, notes)
        unknown = _add_own(config, buildings, faults, notes)
    named = (
        inputs.monuments, inputs.public_space, inputs.districts, inputs.parking,
        inputs.installed_plants, inputs.own_buildings, inputs.load_profile,
    )  # fmt: skip
    paths = tuple(part for path in named if path is not None for part in with_parts(path))
    shapes = None if space is None else space.geometry.to_numpy()
    return (
        RatingInputs(buildings, monuments, shapes, districts, parking, installed, unknown, paths),
        marks,
        faults,
    )


def _opened(
    faults: list[InputError], path: Path | None, read: Callable[..., T], *settings: object
) -> T | None:
    """An input that the config names, or None where there is a fault."""
    if path is not None:
        with collected(faults):
            return read(path, *settings)
    return None


def _off_notes(
    path: Path | None, layer: gpd.GeoDataFrame | None, area: shapely.Geometry | None
) -> list[str]:
    if layer is None or area is None or layer.geometry.intersects(area).any():
        return []
    return [f"{path}: none of {len(layer)} lies on the surface model"]


def _with_spaces(
    config: Config, parking: gpd.GeoDataFrame, faults: list[InputError], notes: list[str]
) -> gpd.GeoDataFrame:
    """Car parks with the number of their spaces judged."""
    where, column = str(config.inputs.parking), parking.attrs["spaces_column"]
    n_spaces = np.full(len(parking), np.nan)
    note = f"{where}: {len(parking)} car parks, no column with their spaces"
    if column is not None:
        names = parking["name"].where(parking["name"] != "", parking["parking_id"]).tolist()
        found = judged_amounts(
            where, column, parking["n_spaces"], _SPACES, names,
            config.limits.max_bad_values_fraction,
        )  # fmt: skip
        faults += [found.fault] if found.fault else []
        notes += [f"{where}: {names[i]}: {mark}" for i, mark in found.marks.items()]
        n_spaces = found.values
        n_known = int(np.isfinite(n_spaces).sum())
        note = f"{where}: {len(parking)} car parks, spaces of {n_known} in column {column}"
    notes.append(note)
    return parking.assign(n_spaces=n_spaces)


def _here(
    config: Config,
    installed: InstalledPlants,
    crs: str | None,
    faults: list[InputError],
    notes: list[str],
) -> InstalledPlants:
    """The plants of the municipality, by its key and postcodes."""
    where, place, table = str(config.inputs.installed_plants), config.municipality, installed.table
    n_with_power = len(table) + installed.n_bad
    if installed.n_bad > config.limits.max_bad_values_fraction * n_with_power:
        faults.append(_no_power(where, installed.n_bad, n_with_power, config))
    is_here = np.ones(len(table), dtype=bool)
    by_postcode = table["postcode"].isin(place.postcodes).to_numpy()
    if place.ags is not None:
        keyless = (table["ags"] == "").to_numpy() & by_postcode
        is_here = (table["ags"] == place.ags).to_numpy() | keyless
    elif place.postcodes:
        is_here = by_postcode
    if not is_here.any():
        faults.append(_none_here(where, table, config))
        return installed
    keys = sorted(set(table["ags"][is_here]) - {""})
    if place.ags is None and len(keys) > 1:
        notes.append(
            f"{where}: plants of {len(keys)} municipalities ({_some(keys)}) are summed up without "
            "a share of the potential; for that name yours alone: ags in [municipality]"
        )
    left_out = dict(installed.left_out)
    left_out |= {"elsewhere": n} if (n := int((~is_here).sum())) else {}
    table = table[is_here].reset_index(drop=True)
    if crs is not None:
        easting_m, northing_m = map_coordinates(
            crs, table["longitude"].to_numpy(), table["latitude"].to_numpy()
        )
        table = table.assign(easting_m=easting_m, northing_m=northing_m)
    left = ", ".join(f"{n} {name}" for name, n in left_out.items())
    notes.append(
        f"{where}: {len(table)} solar plants in operation, {table['power_kwp'].sum():.1f} kWp"
        + (f"; left out: {left}" if left else "")
    )
    on_roofs = table["power_kwp"][table["location_kind"].isin(ON_BUILDINGS)]
    if n_large := n_unusually_large(on_roofs):
        notes.append(
            f"{where}: plants on buildings with more than {LARGEST_USUAL_KWP:.0f} kWp each: "
            f"{n_large}; perhaps watts were entered as kilowatts. They count as they are"
        )
    return replace(installed, table=table, left_out=left_out)


def _no_power(where: str, n_bad: int, n: int, config: Config) -> InputError:
    most = config.limits.max_bad_values_fraction
    return InputError(
        f"{n_bad} of {n} solar plants in operation have no power above 0",
        where=where,
        expected=f"Bruttoleistung in kW; at most {most:.0%} wrong (max_bad_values_fraction in "
        "[limits])",
        remedy="Export it again; spreadsheets turn decimal commas into dates.",
    )


def _none_here(where: str, table: pd.DataFrame, config: Config) -> InputError:
    place = config.municipality
    keys = sorted(set(table["ags"]) - {""}) or sorted(set(table["postcode"]) - {""})
    wanted = [f"key {place.ags}"] if place.ags else []
    wanted += [f"postcode {', '.join(place.postcodes)}"] if place.postcodes else []
    return InputError(
        f"none of {len(table)} plants is of the municipality, but of {_some(keys) or 'no key'}",
        where=where,
        expected="plants with " + " or ".join(wanted),
        remedy="Export the right municipality, or correct ags and postcodes in [municipality].",
    )


def _known_of_buildings(
    config: Config, table: gpd.GeoDataFrame, faults: list[InputError], notes: list[str]
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """What the footprints' own columns say, and what is wrong with single values."""
    where, ids = str(config.inputs.footprints), table[ID_COLUMN].to_numpy(dtype=object)
    buildings = pd.DataFrame({ID_COLUMN: ids, **_UNKNOWN}, index=range(len(ids)))
    marks: dict[str, list[str]] = {}
    for name, key in (_TEXTS | {name: one.key for name, one in _AMOUNTS.items()}).items():
        column = getattr(config.inputs, key)
        if column is None:
            continue
        values = table[_read_as(config, column)]
        if name in _TEXTS:
            texts = id_texts(values)
            buildings[name] = ["" if text is None else text.strip() for text in texts]
            n_known = int((buildings[name] != "").sum())
        else:
            found = judged_amounts(
                where, column, values, _AMOUNTS[name], ids, config.limits.max_bad_values_fraction
            )
            faults += [found.fault] if found.fault else []
            for i, mark in found.marks.items():
                marks.setdefault(str(ids[i]), []).append(mark)
            buildings[name] = found.values
            n_known = int(np.isfinite(found.values).sum())
        notes.append(f"{key}: column {column} says it for {n_known} of {len(ids)} footprints")
    return buildings, marks


def _read_as(config: Config, column: str) -> str:
    """What a column of the footprints is called once they are read."""
    is_displaced = column == ID_COLUMN and config.inputs.footprint_id != ID_COLUMN
    return DISPLACED_ID_COLUMN if is_displaced else column


def _add_layers(
    config: Config,
    buildings: pd.DataFrame,
    outlines: np.ndarray,
    monuments: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    notes: list[str],
) -> None:
    """Kind of monument and district of every building."""
    if monuments is not None:
        shapes, kinds = monuments.geometry.to_numpy(), monuments["kind"].to_numpy()
        buildings["monument_kind"] = monument_kinds(outlines, shapes, kinds)
    if districts is None:
        return
    where = str(config.inputs.districts)
    found, is_doubtful = _districts_of(districts, outlines)
    buildings["district"] = found
    n_none = int((found == "").sum())
    n_names = districts["name"].nunique()
    notes.append(f"{where}: {n_names} districts; {n_none} of {len(found)} buildings lie in none")
    pairs = overlaps_of(districts["name"].to_numpy(), districts.geometry.to_numpy())
    if pairs:
        named = _some([f"{one} and {other} ({m2:.0f} m²)" for one, other, m2 in pairs])
        notes.append(
            f"{where}: districts overlap: {named}; the first by name counts for "
            f"{int(is_doubtful.sum())} buildings"
        )


def _districts_of(
    districts: gpd.GeoDataFrame, outlines: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return district_of(outlines, districts["name"].to_numpy(), districts.geometry.to_numpy())


def _add_own(
    config: Config, buildings: pd.DataFrame, faults: list[InputError], notes: list[str]
) -> tuple[str, ...]:
    """Which buildings are the municipality's own; returns ids that no footprint has."""
    path, ids = config.inputs.own_buildings, buildings[ID_COLUMN]
    found = _opened(
        faults, path, read_own_buildings, ids.to_numpy(), config.inputs.own_buildings_id
    )
    if found is None:
        return ()
    buildings["is_own_building"] = ids.isin(found.known).to_numpy()
    note = f"{path}: {len(found.known)} own buildings by column {found.column}"
    if found.unknown:
        note += f"; no footprint has {len(found.unknown)} of the ids: {_some(found.unknown)}"
    notes.append(note)
    return found.unknown


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
