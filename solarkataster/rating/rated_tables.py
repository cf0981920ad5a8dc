"""Classes, reasons and duties of a whole run: tables in, columns out."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.rating.classes import (
    REACHED,
    ClassLimits,
    add_remarks,
    class_limits,
    class_names,
    protected_reasons,
    rate_buildings,
    rate_surfaces,
    unreachable_classes,
)
from solarkataster.rules.duty import DutyRules
from solarkataster.rules.rating import RatingRules


@dataclass(frozen=True)
class Site:
    """
    What a run knows beside its tables.

    Parameters
    ----------
    best_open_kwh_m2, best_wall_kwh_m2 : float
        What the best open plane and the best open vertical plane get in a year. [kWh/m²]
    as_of : date
        Day that ages of data are told for.
    """

    best_open_kwh_m2: float
    best_wall_kwh_m2: float
    as_of: datetime.date


@dataclass(frozen=True, eq=False)
class Rated:
    """
    Columns that rating sets, each table with the index of its input.

    Parameters
    ----------
    roofs, facades, buildings : DataFrame
        ``suitability``, ``suitability_fraction``, ``reason``.
    storeys : Series or None
        ``suitability``.
    """

    roofs: pd.DataFrame
    facades: pd.DataFrame
    buildings: pd.DataFrame
    storeys: pd.Series | None = None


def rate_run(
    roofs: pd.DataFrame,
    facades: pd.DataFrame,
    buildings: pd.DataFrame,
    rules: RatingRules,
    duty: DutyRules | None,
    site: Site,
    storeys: pd.DataFrame | None = None,
) -> Rated:
    """
    Rate all surfaces and buildings of a run.

    Parameters
    ----------
    roofs, facades, buildings : DataFrame
        As the computation left them, with its English reasons; see
        :func:`solarkataster.rating.classes.rate_surfaces`, ``rate_buildings``,
        ``protected_reasons`` and ``add_remarks`` there for the columns that are used.
    rules : RatingRules
    duty : DutyRules or None
        Of the state; its wording about monuments goes before the general one.
    site : Site
    storeys : DataFrame, optional
        Storeys of walls, with ``poa_global_year_kwh_m2``.

    Returns
    -------
    Rated

    Notes
    -----
    Rating its own results again with the same rules changes nothing; with other rules it gives
    their classes and reasons. Only wording about monuments that does not begin with "Denkmal" would
    be told twice.
    """
    words = rules.monuments if duty is None or duty.monuments is None else duty.monuments
    choice = rules.choice

    def told(table: pd.DataFrame, rated: pd.DataFrame, *, is_wall: bool = False) -> pd.DataFrame:
        reason = add_remarks(
            rated["reason"].to_numpy(dtype=object),
            table,
            rules,
            protected=protected_reasons(buildings, words, table, is_wall=is_wall),
            as_of=site.as_of,
        )
        return rated.assign(reason=reason)

    of_roofs = class_limits(rules, "roofs", site.best_open_kwh_m2)
    of_walls = class_limits(rules, "walls", site.best_wall_kwh_m2)
    on_roofs = rate_surfaces(
        roofs, of_roofs, light=choice.light, with_rejected=choice.with_rejected
    )
    on_walls = rate_surfaces(facades, of_walls, with_rejected=choice.with_rejected)
    of_buildings = rate_buildings(buildings, roofs, on_roofs)
    return Rated(
        told(roofs, on_roofs),
        told(facades, on_walls, is_wall=True),
        told(buildings, of_buildings),
        storeys_suitability(storeys, of_walls),
    )


def class_notes(rules: RatingRules, best_open_kwh_m2: float, best_wall_kwh_m2: float) -> list[str]:
    """
    What the chosen schemes cannot say at a site, for those who check the inputs of a run.

    Parameters
    ----------
    rules : RatingRules
    best_open_kwh_m2, best_wall_kwh_m2 : float
        What the best open plane and the best open vertical plane get in a year. [kWh/m²]

    Returns
    -------
    list of str
        One for roofs and one for walls at most: classes that no surface can reach, or a scheme
        without limits.
    """
    notes = []
    for surface, best in (("roofs", best_open_kwh_m2), ("walls", best_wall_kwh_m2)):
        limits = class_limits(rules, surface, best)
        where = f"classes of {surface} (scheme {limits.scheme})"
        if limits.kwh_m2 is None:
            notes.append(f"{where}: it has no limits for {surface}, so they get no class")
            continue
        beyond = unreachable_classes(limits.kwh_m2, best)
        if beyond:
            limit = limits.kwh_m2[len(limits.kwh_m2) - len(beyond)]
            notes.append(
                f"{where}: no surface here can be {' or '.join(beyond)}, which begins at "
                f"{limit:.0f} kWh/m²; the best open one gets {best:.0f} kWh/m²"
            )
    return notes


def storeys_suitability(storeys: pd.DataFrame | None, limits: ClassLimits) -> pd.Series | None:
    """Classes of storeys by their light, empty where the scheme leaves walls out."""
    if storeys is None:
        return None
    year = storeys["poa_global_year_kwh_m2"].to_numpy(dtype=np.float64)
    if limits.kwh_m2 is None:
        year = np.full(len(year), np.nan)
    names = class_names(year * REACHED, limits.kwh_m2 or (1.0, 2.0, 3.0, 4.0))
    return pd.Series(names, index=storeys.index, name="suitability", dtype=object)
