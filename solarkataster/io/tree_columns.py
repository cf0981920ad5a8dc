"""Which columns of a tree cadastre hold what: by their usual names, or as the config says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solarkataster.config_inputs import TreesConfig
from solarkataster.errors import InputError
from solarkataster.io.column_names import matching, missing_column, plain


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Usual names, lower case, letters and digits alone; Shapefile cuts them after ten.
HEIGHT = _words(
    "baumhoehe baumhoeh baumh hoehe gesamthoehe gesamthoeh hoehegesamt hoehebaum height treeheight "
    "totalheight heighttotal"
)
CROWN = _words(
    "kronendurchmesser kronendurchm kronendurch kronendurc kronedurchmesser kronedurchm kronedurch "
    "kronendm kronedm krondurchm krone kronenbreite kronenbrei kronenradius kroneradius "
    "crowndiameter crowndiam crowndia crownwidth crownspread crown crownradius canopydiameter "
    "canopywidth spread"
)
BASE = _words("kronenansatz kronenansa kronenansatzhoehe kronenbasis crownbase crownbaseheight")
#: Together they name the species: "Tilia" in one column, "cordata" in the next.
SPECIES = _words(
    "gattung gattunglatein gattunglat genus artbotanisch artbotan artbot baumartbotanisch "
    "baumartbot baumartbo baumartlatein baumartlat botanischername botanisch botname "
    "wissenschaftlichername wissname wistext artwiss baumnamelat namelat artlatein artlat "
    "scientificname scientific botanicalname speciesname species baumart art gattungart artname "
    "artdeutsch artdeut artdtsch artdt artde baumartdeutsch baumartde deutschername deutsch "
    "deutext baumnamedeu namedeu gattungdeutsch commonname common baumname baumtyp"
)
ID = _words(
    "baumid treeid baumnr baumnummer nummer nr id gmlid gisid uuid objectid oid pitid standortnr "
    "kennzeichen kennzeich"
)
EASTING = _words(
    "x xkoord xkoordinate xcoord koordx coordx rechtswert rw ostwert ost easting east utmx utme "
    "xutm e"
)
NORTHING = _words(
    "y ykoord ykoordinate ycoord koordy coordy hochwert hw nordwert nord northing north utmy utmn "
    "yutm n"
)
LONGITUDE = _words("lon long lng longitude laenge laengengrad geolaenge")
LATITUDE = _words("lat latitude breite breitengrad geobreite")


@dataclass(frozen=True)
class TreeColumns:
    """
    Columns that are read, None where the file has none.

    Parameters
    ----------
    tree_id, height, crown, base : str or None
    species : tuple of str
        Read together.
    crown_is_radius : bool
    """

    tree_id: str | None
    height: str | None
    crown: str | None
    base: str | None
    species: tuple[str, ...]
    crown_is_radius: bool

    def note(self) -> str:
        """What was taken for what, for the reader to agree."""
        crown = "radius of the crown" if self.crown_is_radius else "crown"
        parts = [
            f"id {self.tree_id or 'numbered from 1'}",
            f"height {self.height or 'in no column'}",
            f"{crown} {self.crown or 'in no column'}",
            f"underside of the crown {self.base or 'in no column'}",
            f"species {' and '.join(self.species) or 'in no column'}",
        ]
        return "columns of the trees: " + ", ".join(parts)


def tree_columns(
    path: Path, columns: Sequence[str], unique: Sequence[str], settings: TreesConfig
) -> tuple[TreeColumns | None, list[InputError]]:
    """
    Find the columns that are needed.

    Parameters
    ----------
    path : Path
        For messages.
    columns : sequence of str
        Those of the file.
    unique : sequence of str
        Those of them with another value in every row; they make better ids.
    settings : TreesConfig

    Returns
    -------
    columns : TreeColumns or None
        None with faults.
    faults : list of InputError
        Columns that the config names and the file lacks; two that could be meant; neither height
        nor crown.
    """
    faults: list[InputError] = []
    named = {
        "id": settings.id,
        "height_column": settings.height_column,
        "crown_diameter_column": settings.crown_diameter_column,
        "crown_base_column": settings.crown_base_column,
        "species_column": settings.species_column,
    }
    for key, name in named.items():
        if name is not None and name not in columns:
            faults.append(missing_column(path, f"{key} in [trees]", name, columns))
    usual = {"height_column": HEIGHT, "crown_diameter_column": CROWN, "crown_base_column": BASE}
    for key, names in usual.items():
        if named[key] is not None:
            continue
        found = matching(columns, names)
        if len(found) > 1:
            faults.append(_ambiguous(path, key, found))
        named[key] = found[0] if found else None
    if not faults and not (named["height_column"] or named["crown_diameter_column"]):
        faults.append(_neither(path, columns))
    if faults:
        return None, faults
    ids = [named["id"]] if named["id"] else _by_rank(columns, ID)
    ids = [one for one in ids if one in unique] or ids
    crown = named["crown_diameter_column"]
    species = [settings.species_column] if settings.species_column else _by_rank(columns, SPECIES)
    return TreeColumns(
        ids[0] if ids else None,
        named["height_column"],
        crown,
        named["crown_base_column"],
        tuple(one for one in species if one),
        bool(crown and "radius" in plain(crown)),
    ), []


def _by_rank(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    return [column for name in names for column in columns if plain(column) == name]


def _ambiguous(path: Path, key: str, found: Sequence[str]) -> InputError:
    return InputError(
        f"{len(found)} columns could be meant: {', '.join(found)}",
        where=str(path),
        expected=f"one column for {key}",
        remedy=f'Name it in [trees]: {key} = "{found[0]}"',
    )


def _neither(path: Path, columns: Sequence[str]) -> InputError:
    return InputError(
        "no column with the height of the trees, and none with their crowns",
        where=str(path),
        expected="one of " + (", ".join(columns) or "(the file has no columns)"),
        remedy="Name one in [trees]: height_column or crown_diameter_column.",
    )
