"""Values of columns as numbers and dates, as German and English offices write them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

#: What stands for an unknown value.
NOTHING = ("", "-", "null", "none", "nan", "k.a.", "k. a.", "unbekannt", "n/a")

_WHOLE = re.compile(r"[+-]?\d+")
_GERMAN = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3}){2,}")
_DECIMAL = re.compile(r"[+-]?\d+[.,]\d+")
#: 3.500 is three and a half, or three thousand five hundred.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")


def numbers_of(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """
    A column as numbers.

    Parameters
    ----------
    values : Series, length n
        Numbers, or texts with decimal point or comma.

    Returns
    -------
    numbers : ndarray of float64, shape (n,)
        NaN where nothing is given, or what is given cannot be read.
    is_unreadable : ndarray of bool, shape (n,)
        The latter: words, dates, yes and no, infinity, and texts like 3.500 that mean one number
        in German and another in English.
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isinf(numbers), np.nan, numbers), np.isinf(numbers)
    numbers = np.full(len(values), np.nan)
    unreadable = np.zeros(len(values), dtype=bool)
    for i, (value, is_missing) in enumerate(zip(values, values.isna(), strict=True)):
        if is_missing:
            continue
        if isinstance(value, str):
            text = re.sub(r"[\s\u202f']", "", value)
            if text.lower() in NOTHING:
                continue
            number = _number(text)
        elif isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_):
            number = float(value)
        else:
            number = np.nan
        unreadable[i] = not np.isfinite(number)
        numbers[i] = np.nan if unreadable[i] else number
    return numbers, unreadable


def _number(text: str) -> float:
    if _EITHER.fullmatch(text):
        return np.nan
    if _GERMAN.fullmatch(text) or _THOUSANDS.fullmatch(text):
        text = text.replace(".", "")
    elif not (_WHOLE.fullmatch(text) or _DECIMAL.fullmatch(text)):
        return np.nan
    return float(text.replace(",", "."))


def register_numbers(values: pd.Series) -> np.ndarray:
    """
    Numbers of a register that writes no thousands: a comma or a point is the decimal sign.

    Parameters
    ----------
    values : Series of str, length n

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where there is no number.
    """
    text = values.str.strip()
    both = text.str.contains(",", regex=False) & text.str.contains(".", regex=False)
    text = text.where(~both, text.str.replace(".", "", regex=False))
    numbers = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce")
    return np.where(np.isfinite(numbers), numbers, np.nan).astype(np.float64)


def register_dates(values: pd.Series) -> pd.Series:
    """
    Dates written 31.12.2023 or 2023-12-31, with or without a time behind.

    Parameters
    ----------
    values : Series of str, length n

    Returns
    -------
    Series of datetime64, length n
        NaT where there is no date.
    """
    day = values.str.strip().str.slice(0, 10)
    german = pd.to_datetime(day, format="%d.%m.%Y", errors="coerce")
    return german.fillna(pd.to_datetime(day, format="%Y-%m-%d", errors="coerce"))
