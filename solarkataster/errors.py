"""Errors whose text a GIS clerk can act on: file, found, expected, remedy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class KatasterError(Exception):
    """Base of every error the package raises on purpose."""


class InputError(KatasterError):
    """
    An input file, or a number handed to a public function, cannot be used.

    Parameters
    ----------
    message : str
        The whole sentence, or only what was found when the parts below are given.
    where : str, optional
        File, layer or config key the message is about.
    expected : str, optional
        What would have been right.
    remedy : str, optional
        What the reader can do next, ideally a command.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.found = message
        self.where = where
        self.expected = expected
        self.remedy = remedy
        super().__init__(message, where, expected, remedy)

    def __str__(self) -> str:
        head = f"{self.where}: {self.found}" if self.where else self.found
        parts = [head]
        if self.expected:
            parts.append(f"Expected: {self.expected}")
        if self.remedy:
            parts.append(f"Remedy: {self.remedy}")
        return "\n  ".join(parts)

    def __reduce__(self):
        # Errors travel from worker to client; keyword-only arguments do not pickle by themselves.
        return (_rebuild, (type(self), self.found, self.where, self.expected, self.remedy))


class ConfigError(InputError):
    """A key or value of the config file is wrong."""


class InputErrors(KatasterError):
    """Every fault that was found, not the first one only."""

    def __init__(self, errors: list[InputError]) -> None:
        self.errors = list(errors)
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


@contextlib.contextmanager
def collected(faults: list[InputError]) -> Iterator[None]:
    """Go on after a fault, and add it to the list."""
    try:
        yield
    except InputErrors as error:
        faults.extend(error.errors)
    except InputError as error:
        faults.append(error)


def _rebuild(cls, found, where, expected, remedy):
    return cls(found, where=where, expected=expected, remedy=remedy)
