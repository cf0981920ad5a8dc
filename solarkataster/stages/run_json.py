"""What run.json says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from solarkataster.checks import CheckedInputs
from solarkataster.stages.plan import Plan, code_digest, versions

#: What a tile's report tells in run.json; the rest is bookkeeping of the tile's folder.
_TOLD = (
    "state", "n_buildings", "n_roofs", "n_facades", "n_modules", "n_receivers", "n_wall_receivers",
    "n_failed_buildings", "seconds",
)  # fmt: skip


def run_json(
    plan: Plan,
    reports: Mapping[str, Any],
    faults: Mapping[str, str],
    *,
    is_complete: bool,
    notes: Sequence[str],
    execution: dict[str, Any],
    scenario: dict[str, Any] | None,
    rating: dict[str, Any] | None,
) -> dict[str, Any]:
    """
    Config as resolved, versions, inputs, tile states and warnings of a run.

    Parameters
    ----------
    plan : Plan
    reports, faults : mapping
        Tiles that are done; tiles that failed, and why.
    is_complete : bool
        No tile and no building failed.
    notes : sequence of str
        What the checks and the run found worth saying.
    execution : dict
        When and how it ran: all that differs from one run to the next.
    scenario : dict or None
        Of a what-if run.
    rating : dict or None
        Rules that yields, money and classes were made with.
    """
    checked = plan.checked
    tiles = {}
    for tile in plan.tiles:
        report = reports.get(tile.name)
        if report is None:
            tiles[tile.name] = {"state": "failed", "reason": faults[tile.name]}
        else:
            tiles[tile.name] = {name: report[name] for name in _TOLD}
    return {
        "municipality": checked.config.municipality.name,
        "is_complete": is_complete,
        "config": checked.config.model_dump(mode="json"),
        "versions": versions(),
        "code_sha256": code_digest(),
        "inputs": [
            {
                "path": path,
                "sha256": checksum,
                "modified": iso_time(Path(path).stat().st_mtime),
            }
            for path, checksum in sorted(checked.checksums.items())
        ],
        "surface_model_date": checked.config.inputs.surface_model_date,
        "footprint_date": checked.config.inputs.footprint_date,
        "grid": {
            "crs": checked.grid.crs,
            "cell_size_m": checked.grid.cell_size_m,
            "bounds": checked.grid.bounds,
            "shape": checked.grid.shape,
        },
        "convergence_deg": checked.convergence_deg,
        "weather": _weather_json(checked),
        "gaps_of_the_surface_model": "closed with the terrain where light is blocked",
        "warnings": list(notes),
        "tiles": tiles,
        "scenario": scenario,
        "rating": rating,
        "execution": execution,
    }


def _weather_json(checked: CheckedInputs) -> dict[str, Any]:
    """Whose light it is, how its hours were read, and what became of it."""
    weather = checked.weather
    figures = {**weather.facts, **checked.sky.report}
    return {
        "source": weather.source,
        "kind": weather.kind,
        "label": weather.label,
        "latitude": weather.latitude,
        "longitude": weather.longitude,
        "elevation_m": weather.elevation_m,
        "distance_km": round(checked.weather_distance_km, 3),
        # JSON has no NaN.
        "light": {
            name: round(value, 6) if math.isfinite(value) else None
            for name, value in figures.items()
        },
    }


def iso_time(seconds: float) -> str:
    """A moment in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
