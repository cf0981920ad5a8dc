"""What the demo town's administration knows: uses, owners, districts, car parks, plants."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

if TYPE_CHECKING:
    from solarkataster.demo.roofshapes import Building
    from solarkataster.demo.town import Town

#: No municipality has this key, no place this postcode.
AGS, POSTCODE = "07335999", "67999"
OWNER = "Stadt Sonnfeld"

#: ALKIS functions: home, home with shops, shops, offices, workshop, school, nursery school.
_HOME, _MIXED, _SHOPS, _OFFICES = "31001_1010", "31001_1120", "31001_2050", "31001_2020"
_WORKSHOP, _SCHOOL, _NURSERY, _PLAIN = "31001_2120", "31001_3021", "31001_3065", "31001_1000"
_CHURCH, _TOWN_HALL = "31001_3041", "31001_3012"
#: What stands in the large flat-roofed houses at the edge of the town, in their order.
_LARGE = (_SCHOOL, _OFFICES, _NURSERY, _WORKSHOP)
_LARGE_M2 = 380.0
#: Electricity of some public buildings in a year, made up. [kWh]
_PUBLIC_DEMAND_KWH = {_TOWN_HALL: 38_500.0, _SCHOOL: 27_000.0, _NURSERY: 14_200.0, _CHURCH: 8_900.0}
#: Every so many-th house has metered demand, no known use, no known owner.
_METERED_EVERY, _NO_USE_EVERY, _NO_OWNER_EVERY = 19, 29, 23
#: Living space that one dwelling takes in plan of a house with two or three storeys. [m²]
_PLAN_PER_FLAT_M2 = 62.0

#: Car parks: name, spaces as painted, length and depth [m], owner.
_CAR_PARKS = (
    ("Parkplatz Festwiese", 72, 60.0, 32.0, OWNER),
    ("Parkplatz am Friedhof", 18, 24.0, 17.0, OWNER),
)
#: They keep clear of houses and trees by this. [m]
_CLEAR_M = 4.0
#: The ensemble reaches this far from the line between town hall and church. [m]
_ENSEMBLE_M = 42.0
_N_PLANTS = 30


def knows_itself(town: Town) -> bool:
    """Whether a town has districts, and with them all that is made here."""
    return bool(town.districts)


def building_columns(town: Town) -> dict[str, list]:
    """
    What the footprints say beside id, function and name.

    Parameters
    ----------
    town : Town

    Returns
    -------
    dict of list
        ``use`` (ALKIS function, None where unknown), ``owner`` (class or body, empty where
        unknown), ``flats`` (None where the use is unknown), ``demand_kwh`` (a year, of a few).
    """
    draws = np.random.default_rng([town.seed, 10]).random(len(town.buildings))
    uses = _uses(town)
    owners = [_owner(b, use) for b, use in zip(town.buildings, uses, strict=True)]
    flats = [_flats(b, use) for b, use in zip(town.buildings, uses, strict=True)]
    demand = [
        _demand_kwh(i, use, n, draw)
        for i, (use, n, draw) in enumerate(zip(uses, flats, draws, strict=True))
    ]
    known = [use if i % _NO_USE_EVERY else None for i, use in enumerate(uses, 1)]
    return {
        "use": known,
        "owner": [owner if i % _NO_OWNER_EVERY else "" for i, owner in enumerate(owners, 1)],
        "flats": [n if use else None for n, use in zip(flats, known, strict=True)],
        "demand_kwh": demand,
    }


def _uses(town: Town) -> list[str]:
    old = town.districts.get("Altstadt", shapely.Polygon())
    large, in_town = itertools.cycle(_LARGE), itertools.count(1)
    uses = []
    for building in town.buildings:
        use = _HOME
        if building.function != _PLAIN:
            use = building.function
        elif building.kind == "courtyard":
            use = _MIXED
        elif building.kind == "flat" and building.footprint.area > _LARGE_M2:
            use = next(large)
        elif shapely.contains(old, building.footprint.centroid):
            n = next(in_town)
            use = _SHOPS if n % 7 == 0 else _MIXED if n % 5 == 0 else _HOME
        uses.append(use)
    return uses


def _owner(building: Building, use: str) -> str:
    if use == _CHURCH:
        return "Kirche"
    if use in (_TOWN_HALL, _SCHOOL, _NURSERY):
        return OWNER
    if use in (_OFFICES, _WORKSHOP, _SHOPS):
        return "Gewerbe"
    if building.footprint.area > _LARGE_M2:
        return "Wohnungsunternehmen"
    return "privat"


def _flats(building: Building, use: str) -> int:
    """Dwellings; 0 where nobody lives."""
    if use not in (_HOME, _MIXED):
        return 0
    if building.kind in ("l_shape", "shed") or building.footprint.area < 2.5 * _PLAN_PER_FLAT_M2:
        return 1
    return round(building.footprint.area / _PLAN_PER_FLAT_M2)


def _demand_kwh(i: int, use: str, n_flats: int, draw: float) -> float | None:
    if use in _PUBLIC_DEMAND_KWH:
        return _PUBLIC_DEMAND_KWH[use]
    if i % _METERED_EVERY or not n_flats:
        return None
    return float(round(n_flats * (2200.0 + 2600.0 * draw), -1))


def own_buildings(town: Town) -> pd.DataFrame:
    """The municipality's own buildings: ``gml_id`` and ``bezeichnung``."""
    names = {_TOWN_HALL: "Rathaus", _SCHOOL: "Grundschule", _NURSERY: "Kindertagesstätte"}
    own = [(b, use) for b, use in zip(town.buildings, _uses(town), strict=True) if use in names]
    return pd.DataFrame(
        {"gml_id": [b.building_id for b, _ in own], "bezeichnung": [names[use] for _, use in own]}
    )


def districts(town: Town) -> gpd.GeoDataFrame:
    """Districts: ``name`` and area."""
    return gpd.GeoDataFrame(
        {"name": list(town.districts)}, geometry=list(town.districts.values()), crs=town.grid.crs
    )


def public_space(town: Town) -> gpd.GeoDataFrame:
    """Streets and market: ``art`` and area, one row per connected piece."""
    pieces = list(shapely.get_parts(town.public_space))
    return gpd.GeoDataFrame(
        {"art": ["Straßenverkehr"] * len(pieces)}, geometry=pieces, crs=town.grid.crs
    )


def monuments(town: Town) -> gpd.GeoDataFrame:
    """
    Monuments: ``bezeichnung``, ``denkmalart`` and area.

    The church, the town hall and two old houses, and one ensemble around the market.
    """
    old = [
        building
        for building, use in zip(town.buildings, _uses(town), strict=True)
        if use in (_SHOPS, _MIXED) and building.name is None
    ]
    single = [b for b in town.buildings if b.function in (_CHURCH, _TOWN_HALL)] + old[:2]
    hall = next(b for b in town.buildings if b.function == _TOWN_HALL)
    church = next(b for b in town.buildings if b.function == _CHURCH)
    ends = shapely.union_all([hall.footprint.centroid, church.footprint.centroid])
    market = shapely.buffer(ends.convex_hull, _ENSEMBLE_M, cap_style="flat")
    names = [b.name or f"Wohnhaus {b.building_id}" for b in single]
    return gpd.GeoDataFrame(
        {
            "bezeichnung": [*names, "Marktplatz mit Rathaus und Kirche"],
            "denkmalart": ["Einzeldenkmal"] * len(single) + ["Denkmalzone"],
        },
        geometry=[*(b.footprint for b in single), market],
        crs=town.grid.crs,
    )


def parking(town: Town) -> gpd.GeoDataFrame:
    """Car parks on free ground: ``name``, ``stellplaetze``, ``eigentuemer`` and area."""
    trees = shapely.points([(tree.easting_m, tree.northing_m) for tree in town.trees])
    taken = [b.roof_outline for b in town.buildings]
    taken = [shapely.union_all([*taken, *trees]).buffer(_CLEAR_M), town.public_space]
    found = []
    for _, _, length_m, depth_m, _ in _CAR_PARKS:
        place = _free_rectangle(town, shapely.union_all(taken), length_m, depth_m)
        found.append(place)
        taken.append(place.buffer(_CLEAR_M))
    names, spaces, _, _, owners = zip(*_CAR_PARKS, strict=True)
    return gpd.GeoDataFrame(
        {"name": names, "stellplaetze": spaces, "eigentuemer": owners},
        geometry=found,
        crs=town.grid.crs,
    )


def _free_rectangle(
    town: Town, taken: shapely.Geometry, length_m: float, depth_m: float
) -> shapely.Polygon:
    """The free rectangle nearest to the middle of the town, on a lattice of 2 m."""
    west_m, south_m, east_m, north_m = town.grid.bounds
    x, y = np.meshgrid(
        np.arange(west_m + 6.0, east_m - length_m - 6.0, 2.0),
        np.arange(south_m + 6.0, north_m - depth_m - 6.0, 2.0),
    )
    boxes = shapely.box(x, y, x + length_m, y + depth_m).ravel()
    shapely.prepare(taken)
    boxes = boxes[~shapely.intersects(taken, boxes)]
    if not boxes.size:  # a town of another seed may be full: then a car park at its edge
        return shapely.box(west_m + 6.0, south_m + 6.0, west_m + 6.0 + length_m, south_m + depth_m)
    middle = shapely.Point((west_m + east_m) / 2, (south_m + north_m) / 2)
    return boxes[np.argmin(shapely.distance(boxes, middle))]


def installed_plants(town: Town) -> pd.DataFrame:
    """
    Units as the extended view of the Marktstammdatenregister exports them, all made up.

    Mostly small ones on roofs without a place; a field, two balconies, a battery, one in planning
    and one that is closed.
    """
    rng = np.random.default_rng([town.seed, 11])
    years = np.sort(rng.integers(2005, 2026, _N_PLANTS))
    powers_kw = np.round(rng.choice([4.2, 6.8, 9.9, 12.4, 14.8, 24.6], _N_PLANTS), 3)
    rows = [
        _unit(i, float(power_kw), f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{year}")
        for i, (year, power_kw) in enumerate(zip(years, powers_kw, strict=True), 1)
    ]
    balcony = {"Art der Solaranlage": "Steckerfertige Solaranlage (sog. Balkonkraftwerk)"}
    for i in (7, 19):
        rows[i] |= _power(0.86, 0.8) | {"Anzahl der Solar-Module": "2"} | balcony
    longitude, latitude = _degrees(town)
    rows[11] |= _power(312.0, 250.0) | {
        "Art der Solaranlage": "Freifläche", "Anzahl der Solar-Module": "780",
        "Koordinate: Breitengrad (WGS84)": _comma(latitude, 6),
        "Koordinate: Längengrad (WGS84)": _comma(longitude, 6),
    }  # fmt: skip
    rows[24] |= {"Energieträger": "Speicher", "Anzahl der Solar-Module": ""}
    rows[27] |= {"Betriebs-Status": "In Planung", "Inbetriebnahmedatum der Einheit": ""}
    rows[2] |= {"Betriebs-Status": "Endgültig stillgelegt"}
    return pd.DataFrame(rows)


def _unit(number: int, power_kw: float, commissioned: str) -> dict[str, str]:
    return {
        "MaStR-Nr. der Einheit": f"SEE{900_000_000_000 + number}",
        "Anzeige-Name der Einheit": f"Erfundene Anlage {number}",
        "Betriebs-Status": "In Betrieb",
        "Energieträger": "Solare Strahlungsenergie",
        **_power(power_kw, round(0.9 * power_kw, 1)),
        "Inbetriebnahmedatum der Einheit": commissioned,
        "Bundesland": "Rheinland-Pfalz",
        "Postleitzahl": POSTCODE,
        "Ort": "Sonnfeld",
        "Straße": "",
        "Hausnummer": "",
        "Gemeindeschlüssel": AGS,
        "Koordinate: Breitengrad (WGS84)": "",
        "Koordinate: Längengrad (WGS84)": "",
        "Anzahl der Solar-Module": str(round(power_kw / 0.4)),
        "Art der Solaranlage": "Bauliche Anlagen (Hausdach, Gebäude und Fassade)",
    }


def _power(gross_kw: float, net_kw: float) -> dict[str, str]:
    return {
        "Bruttoleistung der Einheit": _comma(gross_kw, 3),
        "Nettonennleistung der Einheit": _comma(net_kw, 3),
    }


def _comma(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".").replace(".", ",")


def _degrees(town: Town) -> tuple[float, float]:
    """A place near the south-west corner of the town. [°]"""
    west_m, south_m, _, _ = town.grid.bounds
    transformer = pyproj.Transformer.from_crs(town.grid.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = transformer.transform(west_m + 30.0, south_m + 20.0)
    return float(longitude), float(latitude)
