"""The commands; each imports what it needs when it runs, so that help comes at once."""

from __future__ import annotations

import logging
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from solarkataster.errors import InputError, InputErrors, KatasterError
from solarkataster.orphans import end_with_client

if TYPE_CHECKING:
    from solarkataster.config import Config
    from solarkataster.pipeline import RunResult

# A worker imports its client's main module, this one, before anything else.
end_with_client()

EXIT_DONE, EXIT_FAILED, EXIT_INPUT = 0, 1, 2

app = typer.Typer(
    name="solarkataster",
    help="Open solar cadastre: light on every roof of a municipality, from surface model, "
    "footprints and weather.",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="Config file (TOML).")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes of one thread; 1 computes in this process. Default: all cores."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Use an existing Dask cluster, for example tcp://10.0.0.1:8786; "
        "--workers is ignored then.",
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Compute everything again instead of resuming.")
]
Sky = Annotated[
    str | None,
    typer.Option(metavar="SKY", help="Sky model: perez (default), perez-driesse or all-weather."),
]


def _over_zero(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0.0):
        raise typer.BadParameter(f"{value} is not a number over 0")
    return value


HorizonAzimuths = Annotated[
    int, typer.Option("--azimuths", min=4, max=3600, help="Directions of the horizon.")
]
# Light needs the sectors of a sky table, which refuses fewer.
LightAzimuths = Annotated[
    int, typer.Option("--azimuths", min=8, max=3600, help="Directions of the horizon.")
]
ReachM = Annotated[
    float | None,
    typer.Option(
        callback=_over_zero,
        help="Farthest obstacle that must be seen, in metres. Default: the whole raster.",
    ),
]
Dsm = Annotated[str, typer.Argument(metavar="DSM", help="Surface model: a file or a glob.")]
WeatherFile = Annotated[
    Path,
    typer.Option(
        "--weather",
        metavar="FILE",
        help="Weather: DWD TRY, EPW, or a config to take it from.",
    ),
]
WeatherLabel = Annotated[
    str | None,
    typer.Option("--label", help="What the hours of the weather name: start, centre or end."),
]
MaxDistanceKm = Annotated[
    float, typer.Option(min=0.0, help="Farthest weather site accepted, in kilometres.")
]
Albedo = Annotated[float, typer.Option(min=0.0, max=1.0, help="Light that the ground reflects.")]


def main() -> NoReturn:
    """Run a command; faults of the input are told in their own words, without a traceback."""
    _one_thread_per_process()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        code = app(standalone_mode=False) or EXIT_DONE
    except (InputError, InputErrors) as error:
        _complain(str(error))
        code = EXIT_INPUT
    except KatasterError as error:
        _complain(str(error))
        code = EXIT_FAILED
    except typer.Abort:
        code = 130
    except KeyboardInterrupt:
        _complain("stopped; run the same command again to go on from here")
        code = 130
    except Exception as error:
        code = _usage_error(error)
    sys.exit(code)


def _one_thread_per_process() -> None:
    """Parallel work is Dask's; a library's own threads would also make results differ."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _usage_error(error: Exception) -> int:
    """Wrong options end with one line; anything else is a fault of the program, shown whole."""
    show = getattr(error, "show", None)
    if show is None:
        raise error
    show()
    return int(getattr(error, "exit_code", EXIT_INPUT))


def _complain(text: str) -> None:
    typer.echo(text, err=True)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the town and its run.")] = Path("runs/demo"),
    workers: Workers = None,
    points_per_m2: Annotated[
        float | None,
        typer.Option(min=1, max=50, help="Also make a laser scan and take the roofs from it."),
    ] = None,
) -> None:
    """Make the built-in town, run everything on it and say where the map is."""
    from solarkataster.config import load_config
    from solarkataster.demo import make_town

    _make_folder(out / "input")
    config_path = make_town().write(out / "input", points_per_m2)
    result = _run(load_config(config_path), out / "run", workers, None, fresh=False)
    _report(result)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be made ({error.strerror})",
            where=str(folder),
            expected="a folder that can be written to (--out)",
            remedy="choose another --out",
        ) from error


@app.command()
def run(
    config: ConfigPath,
    out: Annotated[
        Path | None, typer.Option(help="Run folder. Default: runs/<name of the municipality>.")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    sky: Sky = None,
) -> None:
    """Compute the whole cadastre; goes on where an earlier run of the same folder ended."""
    from solarkataster.config import load_config

    settings = load_config(config)
    if sky is not None:
        settings = with_sky(settings, sky)
    _report(_run(settings, out, workers, scheduler, fresh))


def with_sky(config: Config, sky: str) -> Config:
    """The config with another sky model."""
    _check_sky(sky)
    irradiation = config.irradiation.model_copy(update={"sky": sky})
    return config.model_copy(update={"irradiation": irradiation})


def _check_sky(sky: str) -> None:
    from solarkataster.sky import SKY_MODELS

    if sky not in SKY_MODELS:
        raise InputError(
            f"unknown sky model {sky}", where="--sky", expected="one of " + ", ".join(SKY_MODELS)
        )


def _run(
    config: Config,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    fresh: bool,
    **what_if: Path | None,
) -> RunResult:
    from solarkataster.pipeline import run as run_pipeline

    n_workers = workers or _n_cores()
    return run_pipeline(
        config, out, n_workers=n_workers, scheduler=scheduler, fresh=fresh, **what_if
    )


def _n_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _report(result: RunResult) -> None:
    """Say what was done and where it lies; exit 1 if something is missing."""
    for note in result.notes:
        typer.echo(f"note: {note}")
    resumed = f", {result.n_resumed} of them from before" if result.n_resumed else ""
    typer.echo(f"{result.n_tiles} {'tile' if result.n_tiles == 1 else 'tiles'}{resumed}")
    typer.echo(f"layers: {result.folder}")
    typer.echo(f"map: solarkataster serve {result.folder}")
    for name, fault in result.failed_tiles.items():
        _complain(f"tile {name} failed: {fault}")
    if result.n_failed_buildings:
        _complain(f"{result.n_failed_buildings} buildings failed; see reason in buildings.parquet")
    if not result.is_complete:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def scenario(
    config: ConfigPath,
    changes: Annotated[
        Path, typer.Argument(metavar="SCENARIO", help="Trees and buildings to change (TOML).")
    ],
    base: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Finished run without the scenario. Default: runs/<name of the municipality>.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder. Default: runs/<name>-<SCENARIO's name>.")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
) -> None:
    """What if trees or buildings come or go: only tiles they reach are computed, and compared."""
    from solarkataster.config import load_config

    what_if = {"scenario": changes, "base": base}
    _report(_run(load_config(config), out, workers, scheduler, fresh, **what_if))


@app.command()
def check(config: ConfigPath) -> None:
    """Open and check every input; say all that is wrong, then what a run will take."""
    from solarkataster.checks import check_inputs
    from solarkataster.config import load_config
    from solarkataster.stages.estimate import estimate

    checked = check_inputs(load_config(config))
    for note in checked.notes:
        typer.echo(f"note: {note}")
    marked = sum(bool(marks) for marks in checked.marks.values())
    typer.echo(f"{len(checked.footprints)} footprints, {marked} of them marked")
    typer.echo(str(estimate(checked, _n_cores())))


@app.command()
def rate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    rules: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Own rules; default: those of the run's config."),
    ] = None,
    workers: Workers = None,
    budget_eur: Annotated[
        float | None,
        typer.Option(min=0.0, help="Money for plants on own buildings, in euros."),
    ] = None,
) -> None:
    """Yield, money, classes and duties again with other rules; no input is read, no light made."""
    from solarkataster.rate import rate as rate_run

    result = rate_run(run, rules, n_workers=workers or _n_cores(), budget_eur=budget_eur)
    if result.n_again:
        typer.echo(f"yields or balances made again: {result.n_again} of {result.n_tiles} tiles")
    typer.echo(f"rated with {result.rules} rules: {result.folder}")


@app.command()
def serve(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.")] = 8350,
) -> None:
    """Show the map of a run on this machine."""
    from solarkataster.serve import serve as serve_map

    serve_map(
        run_folder, port, on_ready=lambda address: typer.echo(f"map: {address} (Ctrl-C ends)")
    )


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the municipality.")],
    out: Annotated[Path, typer.Option(help="Folder of all municipalities.")] = Path("pipelines"),
) -> None:
    """Write a commented config for another municipality."""
    from solarkataster.config import MunicipalityConfig, config_template

    if not name.strip():
        raise InputError("the name is empty", where="NAME", expected="a municipality's name")
    path = out / MunicipalityConfig(name=name).slug / "config.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as stream:
            stream.write(config_template(name))
    except FileExistsError:
        raise InputError(
            "exists already", where=str(path), remedy="edit it, or choose another name"
        ) from None
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from error
    typer.echo(f"{path}: name your files in [inputs], then: solarkataster check {path}")


@app.command()
def horizon(
    dsm: Dsm,
    out: Annotated[Path, typer.Option(metavar="TIF", help="Raster to write.")],
    azimuths: HorizonAzimuths = 72,
    reach_m: ReachM = None,
) -> None:
    """Skyline of every cell: band k is the elevation towards (k - 1) * 360 / N from true north."""
    from solarkataster.stages.single import horizon_raster

    horizon_raster(dsm, out, azimuths, reach_m)
    typer.echo(str(out))


@app.command()
def irradiation(
    dsm: Dsm,
    weather: WeatherFile,
    out: Annotated[Path, typer.Option(metavar="TIF", help="Raster to write.")],
    azimuths: LightAzimuths = 72,
    sky: Sky = None,
    footprints: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only cells inside these outlines.")
    ] = None,
    albedo: Albedo = 0.2,
    reach_m: ReachM = None,
    label: WeatherLabel = None,
    max_distance_km: MaxDistanceKm = 100.0,
) -> None:
    """Light on every cell's own slope: band 1 the year, bands 2 to 13 the months, kWh/m²."""
    from solarkataster.stages.single import SkySettings, irradiation_raster

    _check_sky(sky or "perez")
    settings = SkySettings(
        weather, label, sky or "perez", azimuths, albedo, reach_m, max_distance_km
    )
    irradiation_raster(dsm, out, settings, footprints)
    typer.echo(str(out))


@app.command()
def sensors(
    dsm: Dsm,
    points: Annotated[
        Path, typer.Option(metavar="CSV", help="x,y,z or x,y,height_m, tilt and azimuth.")
    ],
    weather: WeatherFile,
    out: Annotated[Path, typer.Option(metavar="CSV", help="Table to write.")],
    azimuths: LightAzimuths = 72,
    sky: Sky = None,
    albedo: Albedo = 0.2,
    reach_m: ReachM = None,
    label: WeatherLabel = None,
    max_distance_km: MaxDistanceKm = 100.0,
) -> None:
    """Light on any points, taken as given: z in the datum of the DSM, or height_m above the DSM."""
    from solarkataster.stages.single import SkySettings, sensors_csv

    _check_sky(sky or "perez")
    settings = SkySettings(
        weather, label, sky or "perez", azimuths, albedo, reach_m, max_distance_km
    )
    for note in sensors_csv(dsm, points, out, settings):
        _complain(f"note: {note}")
    typer.echo(str(out))


if __name__ == "__main__":
    main()
