"""Rules that read the class of an owner from what the input says of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solarkataster.rules.base import Rules, SourcedTable

Words = Annotated[tuple[str, ...], Field(strict=False)]
Codes = Annotated[tuple[int, ...], Field(strict=False)]


class OwnerClass(Rules):
    """One class of owners."""

    name: Annotated[str, Field(min_length=1)]
    """As it stands in the tables."""

    words: Words = ()
    """Words or word groups that name it; `*` stands for any letters."""

    codes: Codes = ()
    """Codes of the cadastre's kinds of owners that name it; a code also means those under it:
    4000 the whole of 4000 to 4999, 5900 of 5900 to 5999."""


class OwnerClasses(SourcedTable):
    """The classes in the order in which they are tried; the first that fits counts."""

    own: Annotated[str, Field(min_length=1)]
    """Class of the buildings in the municipality's own list, whatever their owner text says."""

    classes: Annotated[tuple[OwnerClass, ...], Field(strict=False, min_length=1)]
    """Owners that none fits stay without a class."""


class OwnerRules(Rules):
    """How owners are told apart."""

    owners: OwnerClasses
