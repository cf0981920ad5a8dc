"""Finishing 2: the web map of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd

import solarkataster
from solarkataster.checks import CheckedInputs
from solarkataster.config import Config
from solarkataster.io.webmap import MapWalls, write_map
from solarkataster.layers import POA_YEAR_RASTER
from solarkataster.load.balance import AVERAGE_PROFILE_NOTE_DE, AVERAGE_PROFILE_NOTE_EN
from solarkataster.stages.layers import Tables
from solarkataster.stages.rating import Rating

#: Folder of the map inside a run.
MAP_FOLDER = "map"


def rated_map_stage(folder: Path, run: Path, rating: Rating, told: Mapping[str, Any]) -> Path:
    """
    The map of a run that was rated again; what its rating does not change is kept.

    Parameters
    ----------
    folder : Path
        Of the new files.
    run : Path
        Of the finished run.
    rating : Rating
    told : mapping
        What run.json says.
    """
    config = Config.model_validate_json(json.dumps(told["config"]))
    weather = told["weather"]
    meta = _meta(config, weather["kind"], weather["source"]) | {"rating": rating_facts(rating.told)}
    return _write(folder, run, rating.tables, config, meta, rating.parking, run / MAP_FOLDER)


def map_stage(
    folder: Path, tables: Tables, checked: CheckedInputs, rating: Rating | None = None
) -> Path:
    """
    Write the static site beside the layers.

    Parameters
    ----------
    folder : Path
        Of the final files.
    tables : Tables
        With reasons in both languages.
    checked : CheckedInputs
    rating : Rating, optional
        Without it the map shows irradiation alone.

    Returns
    -------
    Path
        The page.
    """
    config, weather = checked.config, checked.weather
    meta = _meta(config, weather.kind, weather.source)
    if rating is None:
        return _write(folder, folder, tables, config, meta)
    meta["rating"] = rating_facts(rating.told)
    return _write(folder, folder, tables, config, meta, rating.parking)


def rating_facts(told: Mapping[str, Any]) -> dict[str, Any]:
    """
    What legend and cards say of a rating.

    Parameters
    ----------
    told : mapping
        As :attr:`solarkataster.stages.rating.Rating.told`.

    Returns
    -------
    dict
        ``classes`` of roofs and walls (scheme, limits), day of commissioning, file of tariffs,
        which of the tables behind money are unverified, CO2 factor with year and method, and what
        is to be said beside self-consumption from average profiles.
    """
    period = Path(told["tariffs"]).stem
    behind_money = [
        one
        for one in told["sources"]
        if one["table"].startswith(("money.", f"eeg.periods.{period}.feed_in"))
        or one["table"] == f"eeg.periods.{period}"
    ]
    return {
        "classes": told["classes"],
        "commissioning": told["commissioning"],
        "life_years": told["life_years"],
        "tariffs": told["tariffs"],
        "has_verified_tariffs": all(
            one["verified"] for one in behind_money if one["table"].startswith("eeg.")
        ),
        "has_verified_prices": all(
            one["verified"] for one in behind_money if one["table"].startswith("money.")
        ),
        "co2": told["co2"],
        "average_profile": {"de": AVERAGE_PROFILE_NOTE_DE, "en": AVERAGE_PROFILE_NOTE_EN},
    }


def _meta(config: Config, kind: str, source: str) -> dict[str, Any]:
    meta = {
        "municipality": config.municipality.name,
        "weather": f"{kind} ({source})",
        "surface_model_date": config.inputs.surface_model_date,
        "footprint_date": config.inputs.footprint_date,
        "attribution": ", ".join(config.inputs.attribution) or None,
        "version": f"solarkataster {solarkataster.__version__}",
    }
    return {name: value for name, value in meta.items() if value is not None}


def _write(
    folder: Path,
    rasters: Path,
    tables: Tables,
    config: Config,
    meta: dict[str, Any],
    parking: gpd.GeoDataFrame | None = None,
    keep: Path | None = None,
) -> Path:
    return write_map(
        folder / MAP_FOLDER,
        tables.roofs,
        tables.buildings,
        rasters / POA_YEAR_RASTER.filename,
        meta,
        modules=tables.modules,
        superstructures=tables.superstructures,
        walls=MapWalls(tables.facades, tables.facade_storeys, config.walls.storey_height_m)
        if config.walls.enabled
        else None,
        parking=parking,
        keep=keep,
    )
