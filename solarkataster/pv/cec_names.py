"""Modules and inverters by their name in the CEC data base, as pvlib brings it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache

import pvlib

from solarkataster.errors import InputError

#: What is asked for, and the data base of pvlib that has it.
_BASES = {"module": "CECMod", "inverter": "CECInverter"}


def cec_numbers(kind: str, name: str) -> Mapping[str, float]:
    """
    Numbers of a module or an inverter.

    Parameters
    ----------
    kind : {"module", "inverter"}
    name : str
        As pvlib spells it: every character but letters and digits is an underscore.

    Returns
    -------
    numbers : mapping of str to float
        By the names of the data base.

    Raises
    ------
    InputError
        If there is no such name; names those that come nearest.
    """
    table = _table(kind)
    if name not in table.columns:
        near = difflib.get_close_matches(name, table.columns, n=4, cutoff=0.4)
        raise InputError(
            f"name = {name!r} is not an {kind} of the CEC data base."
            if kind == "inverter"
            else f"name = {name!r} is not a {kind} of the CEC data base.",
            where=f"plant.{kind}",
            expected="pvwatts, or a name of pvlib's " + _BASES[kind],
            remedy="Nearest names: " + ", ".join(near) if near else None,
        )
    return table[name].to_dict()


@lru_cache(maxsize=2)
def _table(kind: str):
    return pvlib.pvsystem.retrieve_sam(_BASES[kind])
