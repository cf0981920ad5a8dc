"""Finishing 2: the web map of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import solarkataster
from solarkataster.checks import CheckedInputs
from solarkataster.config import Config
from solarkataster.io.webmap import MapWalls, write_map
from solarkataster.layers import POA_YEAR_RASTER
from solarkataster.stages.layers import Tables


def rated_map_stage(folder: Path, run: Path, tables: Tables, told: Mapping[str, Any]) -> Path:
    """
    The map of a run that was rated again; raster tiles are those of its year raster.

    Parameters
    ----------
    folder : Path
        Of the new files.
    run : Path
        Of the finished run.
    tables : Tables
    told : mapping
        What run.json says.
    """
    config = Config.model_validate_json(json.dumps(told["config"]))
    weather = told["weather"]
    return _write(folder, tables, config, weather["kind"], weather["source"], run)


def map_stage(folder: Path, tables: Tables, checked: CheckedInputs) -> Path:
    """Write the static site beside the layers; returns its page."""
    weather = checked.weather
    return _write(folder, tables, checked.config, weather.kind, weather.source, folder)


def _write(
    folder: Path, tables: Tables, config: Config, kind: str, source: str, rasters: Path
) -> Path:
    meta = {
        "municipality": config.municipality.name,
        "weather": f"{kind} ({source})",
        "surface_model_date": config.inputs.surface_model_date,
        "footprint_date": config.inputs.footprint_date,
        "attribution": ", ".join(config.inputs.attribution) or None,
        "version": f"solarkataster {solarkataster.__version__}",
    }
    return write_map(
        folder / "map",
        tables.roofs,
        tables.buildings,
        rasters / POA_YEAR_RASTER.filename,
        {name: value for name, value in meta.items() if value is not None},
        modules=tables.modules,
        superstructures=tables.superstructures,
        walls=MapWalls(tables.facades, tables.facade_storeys, config.walls.storey_height_m)
        if config.walls.enabled
        else None,
    )
