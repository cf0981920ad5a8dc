"""How much carbon dioxide electricity from the sun saves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from solarkataster.rules.base import NotNegative, Rules, SourcedTable, within


class Choice(SourcedTable):
    """Which factor is used."""

    factor: Annotated[str, Field(min_length=1)]
    """Name of one of the tables under ``factors``."""

    subtracts_making: bool
    """Whether what the making of the plant emits is taken off, in equal parts over the years that
    money is counted."""


class Factor(SourcedTable):
    """What a kilowatt-hour from the grid emits."""

    g_per_kwh: Annotated[float, within(20.0, 2000.0, "g/kWh")]
    """[g/kWh]"""

    year: Annotated[int, Field(ge=1990, le=2100)]
    """Year the factor holds for."""

    method: Annotated[str, Field(min_length=3)]
    """What is counted, in German, as it stands beside each figure."""


class Making(SourcedTable):
    """What the making of a plant emits."""

    kg_per_kwp: NotNegative
    """[kg/kWp]"""


class Co2Rules(Rules):
    """Factors, and the choice between them."""

    choice: Choice
    factors: dict[str, Factor]
    making: Making

    @model_validator(mode="after")
    def _choice_exists(self) -> Co2Rules:
        if self.choice.factor not in self.factors:
            raise PydanticCustomError(
                "choice",
                "choice.factor one of {names}, found {found}",
                {"names": ", ".join(self.factors), "found": self.choice.factor},
            )
        return self

    @property
    def chosen(self) -> Factor:
        """The factor that is used."""
        return self.factors[self.choice.factor]
