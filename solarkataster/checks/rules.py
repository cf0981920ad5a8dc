"""Rules of a run: read, fitted to the config, and whether their classes can be reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solarkataster.config import Config
from solarkataster.errors import InputError, InputErrors, collected
from solarkataster.io.load_profile import read_load_profile
from solarkataster.io.rules import load_rules
from solarkataster.irradiance import best_open_wall_year_kwh_m2, best_open_year_kwh_m2
from solarkataster.load.holidays_of_states import state_code
from solarkataster.load.load_profiles import measured_profile
from solarkataster.pv.plant import missing_weather, plant_model
from solarkataster.rating.rated_tables import class_notes
from solarkataster.rules.book import RuleBook
from solarkataster.sky import SkySources
from solarkataster.sky_table import sky_table
from solarkataster.weather import Weather


def rules_of(config: Config, file: Path | None = None) -> RuleBook:
    """
    The rules of a run.

    Parameters
    ----------
    config : Config
    file : path, optional
        Takes the place of the config's own rule file.

    Returns
    -------
    RuleBook
        Holidays are those of the config's state, if it names one.

    Raises
    ------
    InputErrors
        With every fault of the rules.
    """
    settings = config.rules
    book = load_rules(file or settings.file, settings.state)
    faults: list[InputError] = []
    with collected(faults):
        plant_model(book.plant)
    with collected(faults):
        if book.demand.calendar.state:
            state_code(book.demand.calendar.state)
    if faults:
        raise InputErrors(faults)
    if settings.state is None:
        return book
    calendar = book.demand.calendar.model_copy(update={"state": state_code(settings.state)})
    return book.model_copy(update={"demand": book.demand.model_copy(update={"calendar": calendar})})


def check_rules(config: Config, faults: list[InputError]) -> RuleBook | None:
    """The rules of a run that works out yields, else None; what is wrong goes to the faults."""
    if not config.yields.enabled:
        return None
    with collected(faults):
        return rules_of(config)
    return None


def check_profile(
    config: Config, weather: Weather | None, notes: list[str], faults: list[InputError]
) -> np.ndarray | None:
    """
    The measured load profile in the clock of the weather, (35040,); None without one.

    Notes say how it was read; what is wrong with it goes to the faults.
    """
    path = config.inputs.load_profile
    if path is None:
        return None
    with collected(faults):
        load = read_load_profile(path)
        notes += [f"{path.name}: {note}" for note in load.notes]
        if weather is not None:
            return measured_profile(load.times, load.energy_kwh, weather.times)
    return None


def yield_notes(book: RuleBook | None, weather: Weather) -> list[str]:
    """What a weather without temperature or wind means for the whole run."""
    missing = missing_weather(weather)
    if book is None or not missing:
        return []
    return [f"no yield, own use and money of any building: the weather has no {missing}"]


def duty_notes(config: Config, book: RuleBook | None) -> list[str]:
    """That nothing is known of a solar duty, for who named a state whose law no file has."""
    state = config.rules.state
    if book is None or book.duty is not None or state is None:
        return []
    return [
        f"no rules on solar duty for {state}: solar_duty stays unknown; name a file of "
        'your own by [duty] file = "..." in the rule file'
    ]


def reach_notes(
    config: Config, book: RuleBook | None, sky: SkySources, convergence_deg: float
) -> list[str]:
    """Classes that no surface of the site can reach, for who chose limits in kWh/m²."""
    if book is None or (book.rating.choice.roofs, book.rating.choice.walls) == ("share", "share"):
        return []
    table = sky_table(sky, convergence_deg, config.horizon.n_azimuth)
    albedo = config.irradiation.albedo
    return class_notes(
        book.rating,
        best_open_year_kwh_m2(table, albedo),
        best_open_wall_year_kwh_m2(table, albedo),
    )
