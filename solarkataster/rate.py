"""
A finished run rated again with other rules: no input is read, no light computed.

What the rules do not touch stays: hourly yields are made again only if the plant's rules changed,
balances only if those of demand did; see :mod:`solarkataster.stages.yield_pass`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from solarkataster.checks.rules import rules_of
from solarkataster.config import Config
from solarkataster.errors import InputError, KatasterError
from solarkataster.io.run_weather import read_run_weather
from solarkataster.io.runfolder import RunFolder, locked, publish, read_json, write_json
from solarkataster.progress import Progress
from solarkataster.rules.book import RuleBook
from solarkataster.stages.cluster import shared_workers
from solarkataster.stages.layers import write_rated_tables
from solarkataster.stages.map import MAP_FOLDER, rated_map_stage
from solarkataster.stages.plan import NOT_IN_TILES, code_digest
from solarkataster.stages.rating import Rating, rated
from solarkataster.stages.rating_files import write_rating
from solarkataster.stages.run_json import iso_time
from solarkataster.stages.stored import read_inputs, read_physics
from solarkataster.stages.yield_basis import yield_basis
from solarkataster.stages.yield_pass import Energy, is_done, work_out, yield_jobs


@dataclass(frozen=True)
class RateResult:
    """
    What a rating did.

    Parameters
    ----------
    folder : Path
    n_tiles, n_again : int
        Tiles, and those of them whose yields or balances the new rules changed.
    rules : str
        File whose rules came first, or "the run's own".
    """

    folder: Path
    n_tiles: int
    n_again: int
    rules: str


def rate(
    run: str | Path,
    rules: str | Path | None = None,
    *,
    n_workers: int = 1,
    budget_eur: float | None = None,
) -> RateResult:
    """
    Rate a finished run again.

    Parameters
    ----------
    run : path
        Folder of the run.
    rules : path, optional
        Rule file that takes the place of the run's own.
    n_workers : int
        Processes for yields that have to be made again.
    budget_eur : float, optional
        For plants on own buildings, in place of the config's. [€]

    Returns
    -------
    RateResult

    Raises
    ------
    InputErrors, InputError
        If the folder is no finished run, or the rules are wrong.
    KatasterError
        If yields of a tile fail. The run's files have not been changed in either case.
    """
    started = time.time()
    folder = RunFolder(Path(run).absolute())
    told = _told_by(folder)
    config = _config_of(told, folder)
    rules = None if rules is None else Path(rules)
    book = rules_of(config, rules)
    _refuse_other_view(told, book, rules)
    weather = read_run_weather(folder.path / "weather.parquet")
    inputs, measured = read_inputs(folder.path)
    with locked(folder) as token:
        basis = yield_basis(config, book, weather, float(told["convergence_deg"]), measured)
        stamps = _tile_stamps(folder, told["tiles"])
        jobs = yield_jobs(folder, token, stamps, inputs.buildings, basis, code_digest(NOT_IN_TILES))
        again = [job for job in jobs if not is_done(job)]
        with shared_workers(n_workers) as client_for:
            energy = Energy(basis, jobs, work_out(jobs, basis, client_for))
        if energy.faults:
            raise KatasterError(_failed_text(folder, energy.faults))
        hours = energy.digest
        staging = folder.staging
        staging.mkdir(parents=True)
        with (
            Progress("rating, layers and map", 1.0) as progress,
            ThreadPoolExecutor(1) as beside,
        ):
            of_tiles = beside.submit(energy.read)
            # A map that is there keeps its modules, and so do the layers.
            has_map = (folder.path / MAP_FOLDER / "map.json").is_file()
            tables = read_physics(folder.path, with_others=not has_map)
            rating = rated(tables, of_tiles.result(), inputs, basis, budget_eur)
            progress.at(0.4)
            has_hours = told["rating"].get("hours_of") == hours
            # The map reads what the layers read, and neither reads the other's files.
            layers = beside.submit(
                _write_layers, staging, folder.path, rating, energy, with_hours=not has_hours
            )
            rated_map_stage(staging, folder.path, rating, told)
            layers.result()
        file = None if rules is None else rules.name
        again_told = told | {"rating": rating.told | {"rules_file": file, "hours_of": hours}}
        again_told["rated"] = {
            "finished": iso_time(time.time()),
            "seconds": round(time.time() - started, 1),
        }
        write_json(staging / "run.json", again_told)
        # The next `run` makes its own rating again.
        finished = read_json(folder.finished_file) or {"files": []}
        write_json(folder.finished_file, finished | {"stamp": ""})
        publish(staging, folder.path)
    return RateResult(folder.path, len(jobs), len(again), "the run's own" if file is None else file)


def _write_layers(
    staging: Path, run: Path, rating: Rating, energy: Energy, *, with_hours: bool
) -> None:
    more = write_rating(staging, rating, energy.jobs, energy.faults, with_hours=with_hours)
    write_rated_tables(staging, rating.tables, run, more)


def _failed_text(folder: RunFolder, faults: Mapping[str, str]) -> str:
    told = "; ".join(f"{name}: {fault}" for name, fault in list(faults.items())[:3])
    return (
        f"{folder.path}: yields of {len(faults)} tiles failed, the run's files stay as they were "
        f"({told})"
    )


def _refuse_other_view(told: Mapping[str, Any], book: RuleBook, rules: Path | None) -> None:
    """What monuments' visibility depends on was looked at with the heights, which are not here."""
    before = told["rating"].get("visibility")
    if before is not None and before != book.rating.visibility.model_dump(mode="json"):
        raise InputError(
            "[rating.visibility] is not that of the run",
            where=str(rules),
            expected="the same, because the view of monuments needs the surface model",
            remedy="Name these rules in [rules] of the config, and: solarkataster run CONFIG",
        )


def _told_by(folder: RunFolder) -> dict[str, Any]:
    told = read_json(folder.path / "run.json")
    if told is None or "tiles" not in told:
        raise InputError(
            "no run.json of a finished run",
            where=str(folder.path),
            expected="the folder of a finished run",
            remedy="Give its folder, or make one: solarkataster run CONFIG",
        )
    if told.get("rating") is None:
        raise InputError(
            "a run without yields",
            where=str(folder.path),
            expected="a run with enabled = true in [yields] of its config",
            remedy="Run it again with yields: solarkataster run CONFIG",
        )
    return told


def _config_of(told: Mapping[str, Any], folder: RunFolder) -> Config:
    """The config as the run resolved it; files in it need not be there any more."""
    try:
        return Config.model_validate_json(json.dumps(told["config"]))
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise InputError(
            f"settings that this version does not know or wants otherwise: {keys}",
            where=str(folder.path / "run.json"),
            expected="a run of this version of solarkataster",
            remedy="Run it again: solarkataster run CONFIG",
        ) from None


def _tile_stamps(folder: RunFolder, tiles: Mapping[str, Any]) -> dict[str, str]:
    """Stamps of the tiles that are done."""
    stamps = {}
    for name, tile in tiles.items():
        if tile["state"] != "done":
            continue
        report = read_json(folder.tile(name) / "tile.json")
        if report is None:
            raise InputError(
                "file not found",
                where=str(folder.tile(name) / "tile.json"),
                expected="results of the run's tiles (folder work)",
                remedy="Run it again: solarkataster run CONFIG",
            )
        stamps[name] = report["stamp"]
    return stamps
