"""
A run, from checked inputs to the finished folder: start reading here.

Per tile, on one worker: surface → roofs → scene → facades → light → layout → tables, see
:mod:`solarkataster.stages.chain`.
Then, once: layers → map → run.json. What is stamped as done and unchanged is skipped.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solarkataster.checks import CheckedInputs, check_inputs
from solarkataster.config import Config
from solarkataster.io.run_weather import FILENAME as WEATHER_FILE
from solarkataster.io.run_weather import write_run_weather
from solarkataster.io.runfolder import RunFolder, digest, locked, publish, read_json, write_json
from solarkataster.progress import Progress
from solarkataster.quality import NO_FAR_TERRAIN
from solarkataster.sky_table import sky_table
from solarkataster.stages.chain import TileOutcome, run_here, run_on_cluster
from solarkataster.stages.cluster import ClientFor, check_scheduler, shared_workers
from solarkataster.stages.job import RunSky
from solarkataster.stages.layers import no_value_note, tables_of, write_rasters, write_tables
from solarkataster.stages.map import map_stage
from solarkataster.stages.plan import (
    NOT_IN_TILES,
    Plan,
    code_digest,
    iterate_jobs,
    plan_tiles,
    tile_weights,
    versions,
)
from solarkataster.stages.rating import rated, unrated
from solarkataster.stages.rating_files import write_rating
from solarkataster.stages.run_json import iso_time, run_json
from solarkataster.stages.scenario import (
    ScenarioRun,
    adopt_tiles,
    base_run,
    with_scenario,
    write_difference,
)
from solarkataster.stages.sky_records import write_sky_visibility
from solarkataster.stages.stored import buildings_of, write_inputs, write_physics
from solarkataster.stages.trees import write_trees
from solarkataster.stages.warm import warm_kernels
from solarkataster.stages.yield_basis import yield_basis
from solarkataster.stages.yield_pass import Energy, work_out, yield_jobs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """
    What a run did.

    Parameters
    ----------
    folder : Path
        The run folder.
    n_tiles, n_resumed : int
        Tiles with buildings, and those of them that were done already.
    failed_tiles : dict of str to str
        Tiles without a result, and why.
    n_failed_buildings : int
        Buildings inside finished tiles whose roof could not be computed.
    notes : tuple of str
        What the checks and the run found worth saying.
    """

    folder: Path
    n_tiles: int
    n_resumed: int
    failed_tiles: dict[str, str]
    n_failed_buildings: int
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.failed_tiles and not self.n_failed_buildings


@dataclass
class _State:
    """Tiles as they come in."""

    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    yield_faults: dict[str, str] = field(default_factory=dict)


def run(
    config: Config,
    out: str | Path | None = None,
    *,
    n_workers: int = 1,
    scheduler: str | None = None,
    fresh: bool = False,
    scenario: str | Path | None = None,
    base: str | Path | None = None,
) -> RunResult:
    """
    Compute a municipality's solar cadastre.

    Parameters
    ----------
    config : Config
    out : path, optional
        Run folder; default ``runs/<name>``. A folder of an earlier run is resumed.
    n_workers : int
        Processes of one thread; 1 computes in this process.
    scheduler : str, optional
        Address of an existing Dask cluster to use instead.
    fresh : bool
        Compute everything again. The finished files of an earlier run stay until they are
        replaced.
    scenario : path, optional
        What-if file: its trees and buildings are changed, and ``difference.parquet`` compares.
    base : path, optional
        Finished run without the scenario, whose tiles are taken over where nothing changes;
        default ``runs/<name>``.

    Returns
    -------
    RunResult

    Raises
    ------
    InputErrors, InputError
        If an input, a setting or the folder cannot be used; nothing has been written then.
    """
    default = Path("runs") / config.municipality.slug
    if scenario is not None:
        default = default.with_name(f"{default.name}-{Path(scenario).stem}")
    folder = RunFolder(Path(out or default).absolute())
    folder.check_usable()
    if scheduler is not None:
        check_scheduler(scheduler)
    started = time.time()
    checked = check_inputs(config)
    what_if = None
    if scenario is not None:
        home = RunFolder(Path(base or Path("runs") / config.municipality.slug).absolute())
        changed = with_scenario(checked, Path(scenario))
        what_if = base_run(plan_tiles(checked, home, ""), folder, Path(scenario))
        checked = changed
    with locked(folder) as token:
        plan = plan_tiles(checked, folder, token)
        if what_if is not None and not fresh:
            adopt_tiles(plan, what_if.base)
        state, n_resumed = _State(), 0
        to_do = set(range(len(plan.tiles)))
        if not fresh:
            to_do = _find_unfinished(plan, state)
            n_resumed = len(plan.tiles) - len(to_do)
            if n_resumed:
                log.info("%d of %d tiles are done already", n_resumed, len(plan.tiles))
        with shared_workers(n_workers, scheduler) as client_for:
            if to_do:
                _compute(plan, to_do, state, client_for)
            stamp = _layers_stamp(plan, state, what_if)
            if not to_do and _is_finished(folder, stamp):
                return _result(plan, state, n_resumed)
            energy = None
            if checked.book is not None:
                energy = _work_out(plan, state, client_for)
                state.yield_faults = energy.faults
        result = _result(plan, state, n_resumed)
        execution = {
            "started": iso_time(started),
            "seconds_before_layers": round(time.time() - started, 1),
            "n_workers": n_workers if scheduler is None else None,
            "scheduler": scheduler,
            "n_resumed": n_resumed,
        }
        _finish(plan, state, result, stamp, execution, what_if, energy)
        return result


def _result(plan: Plan, state: _State, n_resumed: int) -> RunResult:
    notes = [*plan.checked.notes, *no_value_note(plan, state.reports), NO_FAR_TERRAIN]
    faults = {name: f"yield: {fault}" for name, fault in state.yield_faults.items()}
    return RunResult(
        plan.folder.path,
        len(plan.tiles),
        n_resumed,
        state.faults | faults,
        sum(report["n_failed_buildings"] for report in state.reports.values()),
        tuple(notes),
    )


def _work_out(plan: Plan, state: _State, client_for: ClientFor) -> Energy:
    """Yields and balances of the finished tiles."""
    checked = plan.checked
    assert checked.book is not None
    basis = yield_basis(
        checked.config,
        checked.book,
        checked.weather,
        checked.convergence_deg,
        checked.measured_share,
    )
    stamps = {name: report["stamp"] for name, report in state.reports.items()}
    known = buildings_of(checked.rating, checked.footprints.geometry)
    jobs = yield_jobs(plan.folder, plan.token, stamps, known, basis, code_digest(NOT_IN_TILES))
    return Energy(basis, jobs, work_out(jobs, basis, client_for))


def _find_unfinished(plan: Plan, state: _State) -> set[int]:
    """Tiles without a result of their present stamp; reports of the others go into the state."""
    to_do = set()
    for i, tile in enumerate(plan.tiles):
        report = plan.finished(tile.name, plan.job(i).stamp)
        if report is None:
            to_do.add(i)
        else:
            state.reports[tile.name] = report
    return to_do


def _compute(plan: Plan, to_do: set[int], state: _State, client_for: ClientFor) -> None:
    """Run the chains of the tiles that are left."""
    sky = run_sky(plan.checked)
    with Progress("compiling the kernels, the first time only", 1.0):
        warm_kernels(plan.checked, sky)
    weights = tile_weights(plan)
    jobs = iterate_jobs(plan, to_do)
    client = client_for(len(to_do))
    total = sum(weights[plan.tiles[i].name] for i in to_do)
    with Progress("1 tile" if len(to_do) == 1 else f"{len(to_do)} tiles", total) as progress:
        done: dict[str, float] = {}

        def reached(name: str, share: float) -> None:
            done[name] = max(done.get(name, 0.0), share)
            progress.at(sum(share * weights[name] for name, share in list(done.items())))

        outcomes = (
            run_here(jobs, sky, reached)
            if client is None
            else run_on_cluster(client, jobs, sky, reached)
        )
        for outcome in outcomes:
            reached(outcome.name, 1.0)
            _take(outcome, state)


def _take(outcome: TileOutcome, state: _State) -> None:
    if outcome.report is None:
        state.faults[outcome.name] = outcome.fault
    else:
        state.reports[outcome.name] = outcome.report


def run_sky(checked: CheckedInputs) -> RunSky:
    """The sky of a run: its weather, its model, turned into grid north."""
    config, turn_deg = checked.config, checked.convergence_deg
    return RunSky(
        roofs=sky_table(checked.sky, turn_deg, n_azimuth=config.horizon.n_azimuth),
        walls=sky_table(checked.sky, turn_deg, n_azimuth=config.walls.n_azimuth),
        reflectors=sky_table(checked.sky, turn_deg, n_azimuth=config.reflection.n_azimuth),
    )


def _layers_stamp(plan: Plan, state: _State, what_if: ScenarioRun | None) -> str:
    """Digest of everything the final files depend on."""
    checked = plan.checked
    return digest(
        {
            "tiles": {name: report["stamp"] for name, report in sorted(state.reports.items())},
            "faults": state.faults,
            "inputs": sorted(checked.checksums.values()),
            "marks": checked.marks,
            "notes": checked.notes,
            "config": checked.config.model_dump(mode="json"),
            "grid": (checked.grid.bounds, checked.grid.cell_size_m, checked.grid.crs),
            "code": code_digest(),
            "versions": versions(),
            "scenario": checked.changes.digest(),
            "base": None if what_if is None else what_if.base_stamp,
            "rules": None if checked.book is None else checked.book.model_dump(mode="json"),
        }
    )


def _is_finished(folder: RunFolder, stamp: str) -> bool:
    """Whether the final files are those of this stamp and all still there."""
    finished = read_json(folder.finished_file) or {}
    return finished.get("stamp") == stamp and all(
        (folder.path / name).is_file() for name in finished["files"]
    )


def _finish(
    plan: Plan,
    state: _State,
    result: RunResult,
    stamp: str,
    execution: dict[str, Any],
    what_if: ScenarioRun | None,
    energy: Energy | None,
) -> None:
    """Write the final files aside, then let them take the place of an earlier run's."""
    folder, start = plan.folder, time.time()
    staging = folder.staging
    staging.mkdir(parents=True)
    with Progress("layers and map", 1.0) as progress:
        tables = tables_of(plan, state.reports, state.faults)
        more, told = write_trees(staging, plan.checked), None
        if what_if is not None:
            layers, told = write_difference(staging, what_if, tables)
            more = layers | more
        told_of_rating, rating = None, None
        if energy is not None:
            write_physics(staging, tables)
            write_inputs(
                staging, plan.checked.rating, plan.checked.footprints.geometry,
                plan.checked.measured_share,
            )  # fmt: skip
            rating = rated(tables, energy.read(), plan.checked.rating, energy.basis)
            more = more | write_rating(staging, rating, energy.jobs, energy.faults)
            tables = rating.tables
            told_of_rating = rating.told | {"hours_of": energy.digest}
        else:
            tables = unrated(tables)
        write_tables(staging, tables, more)
        progress.at(0.1)
        n_tiles = len(state.reports) or 1
        write_rasters(staging, plan, state.reports, lambda n: progress.advance(0.2 * n / n_tiles))
        write_sky_visibility(staging, plan, state.reports)
        write_run_weather(staging / WEATHER_FILE, plan.checked.weather)
        progress.at(0.6)
        map_stage(staging, tables, plan.checked, rating)
    execution |= {
        "finished": iso_time(time.time()),
        "seconds_layers": round(time.time() - start, 1),
    }
    write_json(
        staging / "run.json",
        run_json(
            plan,
            state.reports,
            state.faults,
            is_complete=result.is_complete,
            notes=result.notes,
            execution=execution,
            scenario=told,
            rating=told_of_rating,
        ),
    )
    files = sorted(
        path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()
    )
    before = (read_json(folder.finished_file) or {}).get("files", [])
    folder.finished_file.unlink(missing_ok=True)
    publish(staging, folder.path)
    for name in set(before) - set(files):  # of a part that is switched off now
        (folder.path / name).unlink(missing_ok=True)
    folder.forget_other_tiles({tile.name for tile in plan.tiles})
    # What failed is tried again by the next run.
    stamp = "" if state.yield_faults else stamp
    write_json(folder.finished_file, {"stamp": stamp, "files": files})
