"""A what-if scenario as a run of its own: changed inputs, tiles of the base run, differences."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from solarkataster.checks import CheckedInputs
from solarkataster.errors import InputError
from solarkataster.footprint_cells import cells_inside
from solarkataster.io.rasters import read_resampled
from solarkataster.io.results import Layer, typed, write_geoparquet
from solarkataster.io.runfolder import RunFolder, read_json, write_permit
from solarkataster.io.scenarios import read_scenario
from solarkataster.layers import DIFFERENCE_COLUMNS
from solarkataster.quality import REMOVED_MARK
from solarkataster.scenario import Changes, Scenario, with_grounds
from solarkataster.scenario_changes import changes_of
from solarkataster.scenario_difference import difference_summary, surface_differences
from solarkataster.stages.plan import Plan

#: Lower limits of the classes of a difference in kWh/m² a year, and their colours: red is less
#: light than before, blue more, grey as good as none.
_STOPS = (
    (-10_000.0, "#67001f"), (-200.0, "#b2182b"), (-100.0, "#d6604d"), (-50.0, "#f4a582"),
    (-10.0, "#fddbc7"), (-1.0, "#e6e6e6"), (1.0, "#d1e5f0"), (10.0, "#92c5de"),
    (50.0, "#4393c3"), (100.0, "#2166ac"), (200.0, "#053061"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ScenarioRun:
    """
    What a scenario run needs beside its inputs.

    Parameters
    ----------
    path : Path
        The scenario file.
    base : RunFolder
        The run without the scenario.
    base_stamp : str
        Of the base's final files.
    """

    path: Path
    base: RunFolder
    base_stamp: str


def with_scenario(checked: CheckedInputs, path: Path) -> CheckedInputs:
    """
    The inputs of a municipality after a scenario.

    New buildings come behind the others, so that nobody's place in the input changes; removed ones
    keep their row without an outline. The name says that this is no survey.

    Raises
    ------
    InputErrors, InputError
        If the scenario cannot be read, does not fit the municipality, or a new building stands
        where the terrain has no height.
    """
    config = checked.config
    scenario = read_scenario(path, config.trees.default_crown_base_fraction)
    table = checked.footprints
    ids, outlines = table["building_id"].to_numpy(), table.geometry.to_numpy()
    changes = changes_of(
        scenario, str(path), checked.greenery.trees, ids, outlines, checked.grid.bounds
    )
    _check_crowns_known(checked, path, changes)
    changes = with_grounds(changes, [_ground_m(checked, path, one) for one in changes.added])
    municipality = config.municipality.model_copy(
        update={"name": f"{config.municipality.name} – Szenario {scenario.name}"}
    )
    marks = {name: list(texts) for name, texts in checked.marks.items()}
    for name, _ in changes.removed:
        marks[name] = [REMOVED_MARK]
    return replace(
        checked,
        config=config.model_copy(update={"municipality": municipality}),
        footprints=_changed_footprints(table, changes),
        is_monument=np.append(checked.is_monument, np.zeros(len(changes.added), dtype=bool)),
        rating=checked.rating.with_added(
            [one.building_id for one in changes.added],
            np.array([one.footprint for one in changes.added], dtype=object),
        ),
        notes=[*checked.notes, _told(scenario, changes)],
        marks=marks,
        changes=changes,
    )


def _check_crowns_known(checked: CheckedInputs, path: Path, changes: Changes) -> None:
    """Crowns that are part of the surface model cannot be felled."""
    trees = checked.config.trees
    moved = len(changes.felled) + len(changes.grown)
    moved += len(changes.felled_areas) + len(changes.raised_areas)
    if trees.from_surface or not moved:
        return
    raise InputError(
        "fells or grows trees, but crowns are solid parts of the surface model",
        where=str(path),
        expected="from_surface = true in [trees] of the config",
        remedy="Set it, run the base again, then the scenario.",
    )


def _ground_m(checked: CheckedInputs, path: Path, building: Any) -> float:
    """Mean terrain under a new building. [m]"""
    window = checked.grid.crop(building.footprint.bounds)
    if 0 not in window.shape:
        terrain_m = read_resampled(checked.dtm, window)
        inside = cells_inside(building.footprint, window) & np.isfinite(terrain_m)
        if inside.any():
            # Whole millimetres: the ground is part of what tiles are known again by.
            return round(float(terrain_m[inside].mean(dtype=np.float64)), 3)
    raise InputError(
        f"the terrain under the new building {building.building_id} is unknown",
        where=str(path),
        expected="new buildings on the terrain model",
        remedy="Move it, or complete dtm in [inputs].",
    )


def _changed_footprints(table: gpd.GeoDataFrame, changes: Changes) -> gpd.GeoDataFrame:
    """Footprints without those removed, the new ones behind."""
    outlines = table.geometry.to_numpy().copy()
    gone = table["building_id"].isin([name for name, _ in changes.removed]).to_numpy()
    outlines[gone] = None
    table = table.set_geometry(gpd.GeoSeries(outlines, index=table.index, crs=table.crs))
    if not changes.added:
        return table
    new = pd.DataFrame({"building_id": [one.building_id for one in changes.added]})
    new = new.reindex(columns=table.columns.drop("geometry"))
    columns = {
        name: pd.concat([_nullable(table[name]), new[name]], ignore_index=True).astype(
            _nullable(table[name]).dtype
        )
        for name in new.columns
    }
    shapes = np.append(outlines, [one.footprint for one in changes.added])
    joined = gpd.GeoDataFrame(columns, geometry=shapes, crs=table.crs)[list(table.columns)]
    joined.attrs = table.attrs
    return joined


def _nullable(values: pd.Series) -> pd.Series:
    """Whole numbers and yes/no of the input stay what they are beside empty cells."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean")
    return values.astype("Int64") if pd.api.types.is_integer_dtype(values) else values


def _told(scenario: Scenario, changes: Changes) -> str:
    counts = {
        "trees felled": len(changes.felled),
        "areas cleared": len(changes.felled_areas),
        "trees planted": len(changes.planted),
        "trees grown": len(changes.grown),
        "buildings added": len(changes.added),
        "buildings removed": len(changes.removed),
    }
    what = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "crowns grown"
    return f"scenario {scenario.name}, no survey: {what}"


def base_run(plan: Plan, folder: RunFolder, path: Path) -> ScenarioRun:
    """
    The finished run that a scenario starts from.

    Parameters
    ----------
    plan : Plan
        Of the same inputs and settings without the scenario, in the base's folder.
    folder : RunFolder
        Of the scenario.
    path : Path
        The scenario file.

    Raises
    ------
    InputError
        If the base is not finished, or not of these inputs, settings and this program.
    """
    base = plan.folder
    if base.path == folder.path:
        raise InputError(
            "is the run that the scenario starts from",
            where=str(folder.path),
            expected="a folder of its own for the scenario (--out)",
            remedy="choose another --out",
        )
    finished = read_json(base.finished_file)
    config = plan.checked.config.path or "CONFIG"
    remedy = f"solarkataster run {config} --out {base.path}"
    if finished is None:
        raise InputError(
            "holds no finished run",
            where=str(base.path),
            expected="the run without the scenario (--base)",
            remedy=remedy,
        )
    stale = [
        tile.name
        for i, tile in enumerate(plan.tiles)
        if plan.finished(tile.name, plan.job(i).stamp) is None
    ]
    if stale:
        raise InputError(
            f"{len(stale)} of {len(plan.tiles)} tiles are of other inputs, settings or another "
            f"version, or failed: {', '.join(stale[:5])}",
            where=str(base.path),
            expected="a finished run of this config",
            remedy=remedy,
        )
    return ScenarioRun(path, base, str(finished.get("stamp")))


def adopt_tiles(plan: Plan, base: RunFolder) -> int:
    """
    Take over those tiles of the base run that the scenario does not reach.

    Returns
    -------
    int
        How many. Their files are shared with the base (hard links), or copied where the file
        system has none; files of a tile are never written again once they are there.
    """
    n_taken = 0
    for i, tile in enumerate(plan.tiles):
        stamp, target = plan.job(i).stamp, plan.folder.tile(tile.name)
        if plan.finished(tile.name, stamp) is not None:
            continue
        report = read_json(base.tile(tile.name) / "tile.json")
        if report is None or report.get("stamp") != stamp:
            continue
        with write_permit(plan.folder, plan.token):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for source in sorted(base.tile(tile.name).iterdir()):
                if source.name != "tile.json":
                    _link(source, target / source.name)
            # Last: a tile without it is not done.
            _link(base.tile(tile.name) / "tile.json", target / "tile.json")
        n_taken += 1
    return n_taken


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def difference_layer(base: RunFolder, tables: Any) -> gpd.GeoDataFrame:
    """
    Roofs and walls of two runs side by side; see :func:`surface_differences`.

    Parameters
    ----------
    base : RunFolder
    tables : Tables
        Of the scenario.
    """
    reasons = tables.buildings["reason"].astype(str)
    failed = set(tables.buildings["building_id"][reasons.str.contains("failed")])
    parts = []
    for name, surface in (("roofs", "roof"), ("facades", "facade")):
        before = gpd.read_parquet(base.path / f"{name}.parquet")
        after = getattr(tables, name)
        parts.append(
            surface_differences(_plain(before), _plain(after), surface, f"{surface}_id", failed)
        )
    rows = pd.concat(parts, ignore_index=True)
    shapes = np.array(rows["geometry"], dtype=object)
    return gpd.GeoDataFrame(typed(rows, DIFFERENCE_COLUMNS), geometry=shapes, crs=tables.roofs.crs)


def _plain(table: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(table.drop(columns="geometry")).assign(
        geometry=np.array(table.geometry.to_numpy(), dtype=object)
    )


def write_difference(
    folder: Path, what_if: ScenarioRun, tables: Any
) -> tuple[dict[str, Layer], dict[str, Any]]:
    """
    Write ``difference.parquet``.

    Returns
    -------
    layers : dict of Layer
        For the GeoPackage, roofs and walls apart.
    told : dict
        For ``run.json``: where the scenario comes from, and sums by kind of surface.
    """
    table = difference_layer(what_if.base, tables)
    write_geoparquet(folder / "difference.parquet", table)
    layers = {
        f"difference_{surface}s": Layer(
            table[table["surface"] == surface].reset_index(drop=True),
            "difference_year_kwh_m2",
            _STOPS,
            f"{surface.capitalize()}s against the run without the scenario",
        )
        for surface in ("roof", "facade")
    }
    told = {
        "file": str(what_if.path.absolute()),
        "sha256": hashlib.sha256(what_if.path.read_bytes()).hexdigest(),
        "base": str(what_if.base.path),
        "base_stamp": what_if.base_stamp,
        "difference": difference_summary(pd.DataFrame(table.drop(columns="geometry"))),
    }
    return layers, told
