"""Finishing 2: the web map of the run."""

from __future__ import annotations

from pathlib import Path

import solarkataster
from solarkataster.checks import CheckedInputs
from solarkataster.io.webmap import MapWalls, write_map
from solarkataster.layers import POA_YEAR_RASTER
from solarkataster.stages.layers import Tables


def map_stage(folder: Path, tables: Tables, checked: CheckedInputs) -> Path:
    """Write the static site beside the layers; returns its page."""
    config = checked.config
    meta = {
        "municipality": config.municipality.name,
        "weather": f"{checked.weather.kind} ({checked.weather.source})",
        "surface_model_date": config.inputs.surface_model_date,
        "footprint_date": config.inputs.footprint_date,
        "attribution": ", ".join(config.inputs.attribution) or None,
        "version": f"solarkataster {solarkataster.__version__}",
    }
    return write_map(
        folder / "map",
        tables.roofs,
        tables.buildings,
        folder / POA_YEAR_RASTER.filename,
        {name: value for name, value in meta.items() if value is not None},
        modules=tables.modules,
        superstructures=tables.superstructures,
        walls=MapWalls(tables.facades, tables.facade_storeys, config.walls.storey_height_m)
        if config.walls.enabled
        else None,
    )
