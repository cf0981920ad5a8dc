"""All rules of a run in one value: what the topics are, and which file each table came from."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from solarkataster.rules.base import Rules, SourcedTable
from solarkataster.rules.co2 import Co2Rules
from solarkataster.rules.demand import DemandRules
from solarkataster.rules.duty import DutyRules
from solarkataster.rules.eeg import EegRules
from solarkataster.rules.facade import FacadeRules
from solarkataster.rules.heat import HeatRules
from solarkataster.rules.money import MoneyRules
from solarkataster.rules.owners import OwnerRules
from solarkataster.rules.plant import PlantRules
from solarkataster.rules.rating import RatingRules

#: Class of each topic's rules, in the order they are told.
TOPICS: dict[str, type[Rules]] = {
    "plant": PlantRules,
    "demand": DemandRules,
    "money": MoneyRules,
    "co2": Co2Rules,
    "eeg": EegRules,
    "rating": RatingRules,
    "duty": DutyRules,
    "heat": HeatRules,
    "facade": FacadeRules,
    "owners": OwnerRules,
}


@dataclass(frozen=True)
class TableSource:
    """
    Where the numbers of one table come from.

    Attributes
    ----------
    table : str
        Topic and table, ``money.price_homes``.
    file : str
        Name of the file it stands in.
    source : str
    date : date
    verified : bool
    note : str
    """

    table: str
    file: str
    source: str
    date: datetime.date
    verified: bool
    note: str


class RuleBook(Rules):
    """All rules of a run."""

    plant: PlantRules
    demand: DemandRules
    money: MoneyRules
    co2: Co2Rules
    eeg: EegRules
    rating: RatingRules
    heat: HeatRules
    facade: FacadeRules
    owners: OwnerRules

    duty: DutyRules | None = None
    """None where no file knows the state's law."""

    files: dict[str, str] = Field(default_factory=dict)
    """File of each topic, and of each table that another file has replaced."""

    def sources(self) -> list[TableSource]:
        """Every table with its source, topic by topic."""
        return [
            TableSource(
                table=path,
                file=self._file_of(path),
                source=table.source,
                date=table.date,
                verified=table.verified,
                note=table.note,
            )
            for topic in TOPICS
            for path, table in _tables(topic, getattr(self, topic))
        ]

    def _file_of(self, path: str) -> str:
        while path and path not in self.files:
            path = path.rpartition(".")[0]
        return self.files.get(path, "")


def _tables(path: str, value: Any) -> Iterator[tuple[str, SourcedTable]]:
    if isinstance(value, SourcedTable):
        yield path, value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _tables(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _tables(f"{path}.{name}", one)
    elif isinstance(value, tuple | list):
        for number, one in enumerate(value):
            name = str(getattr(one, "name", number)).removesuffix(".toml")
            yield from _tables(f"{path}.{name}", one)
