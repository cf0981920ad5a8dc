"""Amounts in columns of an input: a wrong one counts as unknown, too many of them stop a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.io.column_values import numbers_of

#: Wrong values that a message names.
_NAMED = 5


@dataclass(frozen=True)
class Amount:
    """
    What a column counts.

    Parameters
    ----------
    key : str
        Config key that names the column.
    what : str
        As in "is no …".
    whole : bool
        Only whole numbers.
    zero : bool
        0 is a value; otherwise an amount is above it.
    """

    key: str
    what: str
    whole: bool = False
    zero: bool = True


@dataclass(frozen=True, eq=False)
class Amounts:
    """
    A column as it may be used.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        NaN where unknown or wrong.
    marks : dict of str
        What is wrong, by position.
    fault : InputError or None
        More wrong values than the config allows.
    """

    values: np.ndarray
    marks: dict[int, str]
    fault: InputError | None


def judged_amounts(
    where: str,
    column: str,
    values: pd.Series,
    amount: Amount,
    names: Sequence[str],
    max_bad_fraction: float,
) -> Amounts:
    """
    Judge the values of a column.

    Parameters
    ----------
    where : str
        File of the column.
    column : str
    values : Series, length n
        Numbers or texts; missing ones are unknown and not wrong.
    amount : Amount
    names : sequence of str, length n
        What the rows are called.
    max_bad_fraction : float
        Share of the values that may be wrong.

    Returns
    -------
    Amounts
    """
    numbers, is_wrong = numbers_of(values)
    with np.errstate(invalid="ignore"):
        is_wrong |= (numbers < 0.0) | ((numbers == 0.0) & (not amount.zero))
        is_wrong |= amount.whole & np.isfinite(numbers) & (numbers % 1.0 != 0.0)
    texts = {int(i): str(values.iloc[i]).strip()[:40] for i in np.flatnonzero(is_wrong)}
    marks = {
        i: f"{column} = {text} is no {amount.what}: taken as unknown" for i, text in texts.items()
    }
    n_known = int((np.isfinite(numbers) | is_wrong).sum())
    known = np.where(is_wrong, np.nan, numbers)
    if len(texts) <= max_bad_fraction * n_known:
        return Amounts(known, marks, None)
    named = ", ".join(f"{text} ({names[i]})" for i, text in list(texts.items())[:_NAMED])
    more = ", …" if len(texts) > _NAMED else ""
    least = "from 0 up" if amount.zero else "above 0"
    kind = "whole numbers" if amount.whole else "numbers"
    fault = InputError(
        f"{len(texts)} of {n_known} values in column {column} are no {amount.what}: {named}{more}",
        where=where,
        expected=f"{kind} {least}, nothing where unknown; at most {max_bad_fraction:.0%} wrong "
        "(max_bad_values_fraction in [limits])",
        remedy=f"Correct them, or name another column: {amount.key} in [inputs].",
    )
    return Amounts(known, marks, fault)
