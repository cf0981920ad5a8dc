"""Names of BDEW's load profiles: which are demand, and which are what is left of it."""

from __future__ import annotations

from solarkataster.errors import InputError

#: Profiles of what a home or firm uses (BDEW 2025).
DEMAND_PROFILES = ("H25", "G25", "L25")

#: Profiles of what is left to draw from the grid where a plant, or a plant and a battery, stands
#: already. Own use is subtracted in them, so that they are no demand.
RESIDUAL_PROFILES = ("P25", "S25")

#: Name of the profile a user measured.
MEASURED = "measured"


def refuse_as_demand(name: str) -> None:
    """Raise InputError unless a profile of BDEW is one of demand, with the reason."""
    if name in RESIDUAL_PROFILES:
        raise InputError(
            f"{name} is what homes with a plant{' and a battery' if name == 'S25' else ''} still "
            "draw from the grid; their own use is subtracted in it, so that it is no demand",
            where="load profile",
            expected=" or ".join((*DEMAND_PROFILES, MEASURED)),
            remedy="Take H25; P25 and S25 serve only to compare the computed grid draw.",
        )
    if name not in DEMAND_PROFILES:
        raise InputError(
            f"load profile {name!r} is not known",
            where="load profile",
            expected=" or ".join((*DEMAND_PROFILES, MEASURED)),
            remedy="Of BDEW's profiles only those of 2025 are known.",
        )
