"""All rules of a run in one value: what the topics are, and which file each table came from."""

from __future__ import annotations

import datetime
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, create_model

from solarkataster.rules.base import Rules, SourcedTable

#: Topic -> (module, class of its rules), in the order they are told.
TOPICS = {
    "plant": ("solarkataster.rules.plant", "PlantRules"),
    "demand": ("solarkataster.rules.demand", "DemandRules"),
    "money": ("solarkataster.rules.money", "MoneyRules"),
    "co2": ("solarkataster.rules.co2", "Co2Rules"),
    "eeg": ("solarkataster.rules.eeg", "EegRules"),
    "rating": ("solarkataster.rules.rating", "RatingRules"),
    "duty": ("solarkataster.rules.duty", "DutyRules"),
    "heat": ("solarkataster.rules.heat", "HeatRules"),
    "facade": ("solarkataster.rules.facade", "FacadeRules"),
    "owners": ("solarkataster.rules.owners", "OwnerRules"),
}


@dataclass(frozen=True)
class TableSource:
    """Where the numbers of one table come from."""

    table: str
    """Topic and table, ``money.prices``."""

    file: str
    """Name of the file it stands in."""

    source: str
    date: datetime.date
    verified: bool
    note: str


def topic_rules(topic: str) -> type[Rules] | None:
    """Class of a topic's rules; none while its module is not there."""
    module, name = TOPICS[topic]
    if importlib.util.find_spec(module) is None:
        return None
    return getattr(importlib.import_module(module), name, None)


class _Book(Rules):
    files: dict[str, str] = Field(default_factory=dict)
    """File of each table, ``topic.table`` -> name; a topic's own name for all the rest of it."""

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
            for topic in type(self).model_fields
            if topic != "files"
            for path, table in _tables(topic, getattr(self, topic))
        ]

    def _file_of(self, path: str) -> str:
        while path:
            if path in self.files:
                return self.files[path]
            path = path.rpartition(".")[0]
        return ""


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
            yield from _tables(f"{path}.{getattr(one, 'name', number)}", one)


RuleBook: Any = create_model(
    "RuleBook",
    __base__=_Book,
    **{
        topic: (rules | None if topic == "duty" else rules, None if topic == "duty" else ...)
        for topic in TOPICS
        if (rules := topic_rules(topic)) is not None
    },
)
