"""What is wrong with a rule file, in its reader's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from solarkataster.errors import InputError

#: A key this alike is taken for a slip of the same word. [–]
_ALIKE = 0.6

_NO_SUCH = object()


def unknown(
    name: str, known: Iterable[str], *, kind: str, where: str, remedy: str = "Remove it."
) -> InputError:
    """A table or key that no rule has; names the nearest one that there is."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)
    return InputError(
        f"unknown {kind} {name}",
        where=where,
        expected="one of " + ", ".join(names) if names else f"no {kind}",
        remedy=f"Did you mean {near[0]}?" if near else remedy,
    )


def rule_fault(
    model: type[BaseModel],
    details: Any,
    *,
    file: str,
    topic: str = "",
    shipped: Mapping[str, Any] | None = None,
) -> InputError:
    """
    One fault of the validation as file, table, key, found, expected and what to do.

    Parameters
    ----------
    model : type
        Rules of the topic.
    details : dict
        One of ``ValidationError.errors()``.
    file : str
        Where the table stands.
    topic : str, optional
        Name of the topic, for ``[topic.table]``; empty for a file of one topic alone.
    shipped : mapping, optional
        What ships for the topic: names the value of a key that is missing.
    """
    keys = [part for part in details["loc"] if isinstance(part, int) or part.isidentifier()]
    names = [str(part) for part in keys if not isinstance(part, int)]
    name = names[-1] if names else topic
    if details["type"] == "extra_forbidden":
        parent = _at_model(model, keys[:-1])
        return unknown(
            name,
            parent.model_fields if parent else (),
            kind="key" if len(names) > 1 or not topic else "table",
            where=_where(file, topic, names[:-1]),
        )
    described = _description(model, keys)
    if details["type"] == "missing":
        is_table = bool(topic) and len(names) == 1
        return InputError(
            f"the {'table' if is_table else 'key'} {name} is missing",
            where=_where(file, topic, names[:-1]),
            expected=described or "it",
            remedy=_add(keys, shipped),
        )
    expected = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return InputError(
        _found(name, details),
        where=_where(file, topic, names[:-1] if len(names) > 1 or not topic else names),
        expected=f"{expected}. {described}" if described else expected,
        remedy="Correct it there.",
    )


def _where(file: str, topic: str, tables: list[str]) -> str:
    heading = ".".join([topic, *tables] if topic else tables)
    return f"{file} [{heading}]" if heading else file


def _add(keys: list[Any], shipped: Mapping[str, Any] | None) -> str:
    value: Any = shipped
    for key in keys:
        value = value.get(key, _NO_SUCH) if isinstance(value, Mapping) else _NO_SUCH
    if keys[-1] in ("source", "date") or value is _NO_SUCH or isinstance(value, Mapping | list):
        return (
            f"Add {keys[-1]}; a table that replaces a shipped one brings its own source and date."
        )
    return f"Add it; the shipped rules have {keys[-1]} = {value!r}."


def _found(name: str, details: Any) -> str:
    """What was found; of tables whose values are each right, what is wrong between them."""
    said = details.get("ctx", {}).get("said")
    if said:
        return str(said)
    value, is_of_type = details["input"], details["type"].endswith("_type")
    if value and isinstance(value, dict) and not is_of_type:
        return f"the values of {name or 'the file'} do not fit together"
    return f"{name} is {_short(value)}"


def _short(value: Any) -> str:
    text = "an empty or wrong table" if isinstance(value, dict | tuple) else repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _description(model: type[BaseModel], keys: list[Any]) -> str:
    parent = _at_model(model, keys[:-1]) if keys else None
    field = parent.model_fields.get(str(keys[-1])) if parent else None
    return " ".join((field.description or "").split()) if field else ""


def _at_model(model: type[BaseModel], keys: Iterable[Any]) -> type[BaseModel] | None:
    """Model of the table that the keys lead to; positions in lists are passed over."""
    at: type[BaseModel] | None = model
    for key in keys:
        if isinstance(key, int):
            continue
        field = at.model_fields.get(key) if at else None
        if field is None:
            # A key of a table of tables, whose names are free: the same model goes on.
            continue
        at = _model_in(field.annotation)
    return at


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
