"""Settings of a config that nothing uses: told, since a run without them looks just as good."""

from __future__ import annotations

import numpy as np
import pandas as pd

from solarkataster.config import Config
from solarkataster.load.demand import use_keys
from solarkataster.rules.book import RuleBook

#: Uses of the input that a note names.
_NAMED = 10
#: Unknown uses that a note names.
_WORDS = 5
#: Keys that name a column, and the input that has it.
_COLUMNS_OF = {
    "monument_kind": "monuments",
    "district_name": "districts",
    "parking_spaces": "parking",
    "own_buildings_id": "own_buildings",
}


def unused_notes(config: Config, use: np.ndarray | None) -> list[str]:
    """
    Settings that change nothing, because an input or a switch is missing or no value fits.

    Parameters
    ----------
    config : Config
    use : ndarray of object, shape (n_building,), or None
        Texts of the footprints' column of uses, None where there is none; None without column.

    Returns
    -------
    list of str
    """
    inputs, walls, trees, reflection = config.inputs, config.walls, config.trees, config.reflection
    reflects = reflection.enabled, "reflections are switched off"
    has_cover = inputs.land_cover is not None, "no land_cover in [inputs]"
    has_points = inputs.points is not None, "no points in [inputs]"
    rows = [
        ("ground_by_class in [reflection]", reflection.ground_by_class, (reflects, has_cover)),
        ("ground_by_month in [reflection]", reflection.ground_by_month, (reflects,)),
        ("land_cover_trees in [trees]", trees.land_cover_trees, (has_cover,)),
        ("from_points in [trees]", trees.from_points, (has_points,)),
        ("lod2 in [inputs]", inputs.lod2, ((walls.enabled, "walls are switched off"),)),
    ]
    for key, of in _COLUMNS_OF.items():
        has_input = getattr(inputs, of) is not None, f"no {of} in [inputs]"
        rows.append((f"{key} in [inputs]", getattr(inputs, key), (has_input,)))
    notes = []
    for name, value, needs in rows:
        missing = [text for is_there, text in needs if not is_there]
        if value and missing:
            notes.append(f"{name} is not used: {missing[0]}")
    for key in ("window_fraction_by_use", "balcony_fraction_by_use"):
        notes += _by_use_notes(f"{key} in [walls]", getattr(walls, key), use)
    return notes


def _by_use_notes(name: str, shares: dict[str, float], use: np.ndarray | None) -> list[str]:
    """Shares by a use that no building has."""
    if not shares:
        return []
    if use is None:
        return [f"{name} is not used: no footprint_use in [inputs]"]
    known = sorted({text for text in use.tolist() if text})
    wrong = [one for one in shares if one not in known]
    if not wrong:
        return []
    named = ", ".join(known[:_NAMED]) + (", …" if len(known) > _NAMED else "")
    there = f"there are {named}" if known else "the column is empty"
    return [f"{name}: no footprint has the use {', '.join(wrong)}; {there}"]


def use_notes(use: pd.Series, book: RuleBook | None) -> list[str]:
    """
    How many uses of the footprints the rules recognise.

    Parameters
    ----------
    use : Series of str
        Uses of buildings as given; empty for none.
    book : RuleBook or None
        None for a run without yields, which needs no uses.

    Returns
    -------
    list of str
        Names uses that the rules do not know, the most frequent first; says what that means where
        they know less than half of them.
    """
    use = use[use != ""]
    if book is None or use.empty:
        return []
    is_known = use_keys(use.tolist(), book.demand) != ""
    n_known, n = int(is_known.sum()), len(use)
    note = f"footprint_use: the rules know the use of {n_known or 'none'} of {n} footprints"
    counts = use[~is_known].value_counts()
    if len(counts):
        words = sorted(counts.index, key=lambda word: (-counts[word], word))
        note += f"; not {', '.join(words[:_WORDS])}" + (", …" if len(words) > _WORDS else "")
    if n_known < n / 2:
        note += (
            ". Buildings of unknown use have no own use, and no demand but a given one: name the "
            "column with codes of ALKIS or these words, or put yours into [demand.use_codes] of a "
            "rule file"
        )
    return [note]
