"""Rule files: the shipped ones, and a user's own in their place, table by table."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from solarkataster.errors import InputError, InputErrors
from solarkataster.load.holidays_of_states import STATES, state_code
from solarkataster.rules.book import TOPICS, RuleBook
from solarkataster.rules.eeg import EegPeriod
from solarkataster.rules.faults import rule_fault, unknown

_PACKAGE = "solarkataster.rules"


@dataclass
class _Topic:
    """Tables of a topic as read, and the file each came from; of tariffs, a path per period."""

    tables: dict[str, Any]
    file: str
    shipped: dict[str, Any] = field(default_factory=dict)
    replaced: dict[tuple[str, ...], str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def file_of(self, *keys: Any) -> str:
        """File of the table that the keys lead to."""
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.replaced:
                return self.replaced[keys[:end]]
        return self.file

    def replace(self, own: dict[str, Any], file: str) -> None:
        """Put a user's tables in the place of those with the same name."""
        self.tables = self._with(self.tables, own, file, ())

    def _with(
        self, tables: dict[str, Any], own: dict[str, Any], file: str, path: tuple[str, ...]
    ) -> dict[str, Any]:
        both = dict(tables)
        for name, value in own.items():
            old = tables.get(name)
            # A group of tables has no source of its own; what it holds is replaced one by one.
            if isinstance(old, dict) and isinstance(value, dict) and "source" not in old:
                both[name] = self._with(old, value, file, (*path, name))
            else:
                both[name] = value
                self.replaced[*path, name] = file
        return both


def load_rules(file: str | Path | None = None, state: str | None = None) -> RuleBook:
    """
    All rules of a run.

    Parameters
    ----------
    file : path, optional
        A user's rule file. A table it names, ``[money.prices]``, takes the place of the shipped
        table as a whole and brings its own source and date; all other tables stay as shipped.
        ``[eeg] folder = "..."`` or ``files = [...]`` and ``[duty] file = "..."`` take the place of
        the shipped files. Paths start at the file's folder.
    state : str, optional
        Whose solar duty: name or code of a German state. Without it, and where no file ships for
        the state, no duty is known.

    Returns
    -------
    RuleBook

    Raises
    ------
    InputErrors
        Every fault: unreadable file, unknown table or key (the nearest right one is named), missing
        or wrong value, tariffs with a gap or an overlap in their dates, unknown state.
    """
    faults: list[InputError] = []
    topics = {name: _shipped(name) for name in TOPICS if name not in ("eeg", "duty")}
    own: dict[str, Any] = {}
    folder = Path.cwd()
    if file is not None:
        path = Path(file).absolute()
        folder = path.parent
        own = _read(path, str(path))
        faults.extend(_nothing(own, str(file)))
    topics["eeg"] = _eeg(own.pop("eeg", None), folder, str(file), faults)
    duty = _duty(own.pop("duty", None), state, folder, str(file), faults)
    if duty is not None:
        topics["duty"] = duty
    for name, tables in own.items():
        if name not in topics:
            faults.append(unknown(name, TOPICS, kind="topic", where=str(file)))
        elif not isinstance(tables, dict):
            faults.append(_no_table(name, tables, str(file)))
        else:
            topics[name].replace(tables, str(file))
    values = {name: _built(name, topic, faults) for name, topic in topics.items()}
    faults.extend(_uncovered(values, topics["money"]))
    if faults:
        raise InputErrors(list(faults))
    return RuleBook(**values, files=_file_names(topics))


def _uncovered(values: dict[str, Any], money: _Topic) -> list[InputError]:
    """The day of commissioning must have a tariff."""
    if values["eeg"] is None or values["money"] is None:
        return []
    try:
        values["eeg"].at(values["money"].commissioning.day)
    except InputError as error:
        where = f"{money.file_of('commissioning')} [money.commissioning] day"
        return [InputError(error.found, where=where, expected=error.expected, remedy=error.remedy)]
    return []


def _shipped(topic: str) -> _Topic:
    resource = resources.files(_PACKAGE) / f"{topic}.toml"
    tables = _read(resource, resource.name)
    return _Topic(dict(tables), resource.name, shipped=tables)


def _eeg(own: Any, folder: Path, file: str, faults: list[InputError]) -> _Topic:
    """Periods of the shipped folder, or of the user's folder or files."""
    if own is None:
        found = _toml_files(resources.files(_PACKAGE) / "eeg")
        return _periods(found, "eeg", faults)
    keys = set(own) if isinstance(own, dict) else set()
    for key in sorted(keys - {"folder", "files"}):
        faults.append(unknown(key, ("folder", "files"), kind="key", where=f"{file} [eeg]"))
    paths: list[Traversable] = []
    if keys == {"folder"} and isinstance(own["folder"], str):
        paths = _toml_files(folder / own["folder"])
    elif keys == {"files"} and isinstance(own["files"], list):
        paths = [folder / str(name) for name in own["files"]]
    if not paths:
        faults.append(
            InputError(
                f"no tariff file is named by {own!r}",
                where=f"{file} [eeg]",
                expected='folder = "..." with .toml files, or files = ["...", "..."]',
                remedy="Name them, or leave [eeg] out for the shipped tariffs.",
            )
        )
        return _Topic({}, file)
    return _periods(paths, file, faults)


def _toml_files(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        return []
    files = [one for one in folder.iterdir() if one.name.endswith(".toml")]
    return sorted(files, key=lambda one: one.name)


def _periods(paths: list[Traversable], file: str, faults: list[InputError]) -> _Topic:
    periods = []
    for path in paths:
        try:
            periods.append(({"name": path.name, **_read(path, str(path))}, str(path)))
        except InputErrors as error:
            faults.extend(error.errors)
    if all(isinstance(one.get("valid_from"), datetime.date) for one, _ in periods):
        # As the rules sort them: a fault is told by its place among the sorted.
        periods.sort(key=lambda one: one[0]["valid_from"])
    tables = {"periods": [one for one, _ in periods]}
    return _Topic(tables, file, paths=[path for _, path in periods])


def _duty(
    own: Any, state: str | None, folder: Path, file: str, faults: list[InputError]
) -> _Topic | None:
    """Duties of the state that is asked for, or the user's own; none where no file knows them."""
    if isinstance(own, dict) and isinstance(own.get("file"), str):
        path = folder / own["file"]
        return _Topic(_read(path, str(path)), str(path))
    topic = None
    if state is not None:
        try:
            name = STATES[state_code(state)]
        except InputError as error:
            faults.append(error)
            return None
        resource = resources.files(_PACKAGE) / "duty" / f"{name}.toml"
        if resource.is_file():
            tables = _read(resource, resource.name)
            topic = _Topic(dict(tables), f"duty/{resource.name}", shipped=tables)
    if own is None:
        return topic
    if not isinstance(own, dict):
        faults.append(_no_table("duty", own, file))
        return None
    topic = topic or _Topic({}, file)
    topic.replace(own, file)
    return topic


def _built(name: str, topic: _Topic, faults: list[InputError]) -> Any:
    rules = TOPICS[name]
    try:
        return rules.model_validate(topic.tables)
    except ValidationError as error:
        # A list without its faulty parts is then also too short: one fault, not two.
        found = [one for one in error.errors() if one["type"] != "too_short"] or error.errors()
        faults.extend(_told(name, rules, topic, details) for details in found)
    return None


def _told(name: str, rules: Any, topic: _Topic, details: Any) -> InputError:
    keys = details["loc"]
    if name == "eeg" and len(keys) > 1 and isinstance(keys[1], int):
        return rule_fault(EegPeriod, {**details, "loc": keys[2:]}, file=topic.paths[keys[1]])
    return rule_fault(rules, details, file=topic.file_of(*keys), topic=name, shipped=topic.shipped)


def _read(path: Any, where: str) -> dict[str, Any]:
    try:
        # Windows editors put a byte order mark in front of UTF-8.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        found, expected = f"cannot be read ({error.strerror})", "a rule file"
    except UnicodeDecodeError as error:
        found, expected = str(error), "UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        found, expected = str(error), "valid TOML"
    raise InputErrors(
        [InputError(found, where=where, expected=expected, remedy="Correct the file or its name.")]
    ) from None


def _nothing(own: dict[str, Any], file: str) -> list[InputError]:
    """A file or topic without tables changes nothing, which its author did not mean."""
    empty = [name for name, tables in own.items() if tables == {}]
    if own and not empty:
        return []
    return [
        InputError(
            f"[{', '.join(empty)}] holds nothing" if empty else "the file holds no table",
            where=file,
            expected="tables that replace shipped ones, such as [money.price_homes]",
            remedy="Write them, or leave it out: without it the shipped rules hold.",
        )
    ]


def _no_table(name: str, value: Any, file: str) -> InputError:
    return InputError(
        f"{name} is {value!r}",
        where=file,
        expected=f"tables of the topic, such as [{name}.…]",
        remedy="Write a heading with topic and table in brackets.",
    )


def _file_names(topics: dict[str, _Topic]) -> dict[str, str]:
    """Names only: a run folder is handed on, and says nothing of the machine it was made on."""
    names: dict[str, str] = {}
    for name, topic in topics.items():
        names[name] = topic.file if topic.file.startswith("duty/") else Path(topic.file).name
        names |= {".".join((name, *path)): Path(file).name for path, file in topic.replaced.items()}
    for period in topics["eeg"].tables["periods"]:
        names[f"eeg.periods.{period['name'].removesuffix('.toml')}"] = period["name"]
    return names
