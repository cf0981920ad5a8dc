"""How far a long computation is and how long it will still take, on standard error."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

#: Nothing is said about work shorter than this. [s]
QUIET_S = 5.0

#: Pause between two lines where standard error is a file or a pipe. [s]
LINE_PAUSE_S = 10.0

#: Pause between two redraws on a terminal. [s]
REDRAW_S = 0.5


class Progress:
    """
    Progress of named work in any unit; a context manager.

    On a terminal one line is redrawn; elsewhere a plain line is written now and then. A thread
    keeps the clock moving while one long step reports nothing.

    Parameters
    ----------
    title : str
        What is being done.
    total : float
        Amount of work.
    stream : text file, optional
        Default: standard error.
    quiet_s : float
        Silence at the beginning. [s]
    """

    def __init__(
        self, title: str, total: float, stream: TextIO | None = None, quiet_s: float = QUIET_S
    ) -> None:
        self.title = title
        self.total = max(float(total), 1e-9)
        self.done = 0.0
        self._stream = stream if stream is not None else sys.stderr
        self._quiet_s = quiet_s
        self._is_terminal = self._stream.isatty()
        self._start = time.monotonic()
        self._has_spoken = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._clock.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._clock.join()
        if self._has_spoken:
            if _exception[0] is None:
                self.at(self.total)
            self._say(f"{self._text()}\n")

    def advance(self, amount: float) -> None:
        """Add finished work."""
        with self._lock:
            self.done = min(self.total, self.done + amount)

    def at(self, done: float) -> None:
        """Set finished work."""
        with self._lock:
            self.done = min(self.total, done)

    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None before anything is done. [s]"""
        if self.done <= 0.0:
            return None
        elapsed = time.monotonic() - self._start
        return elapsed * (self.total - self.done) / self.done

    def _tick(self) -> None:
        pause = REDRAW_S if self._is_terminal else LINE_PAUSE_S
        wait = self._quiet_s
        while not self._ended.wait(wait):
            wait = pause
            self._has_spoken = True
            self._say(f"\r\x1b[2K{self._text()}" if self._is_terminal else f"{self._text()}\n")

    def _say(self, text: str) -> None:
        if text.endswith("\n") and self._is_terminal:
            text = f"\r\x1b[2K{text}"
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._ended.set()  # Nobody reads any more; the work goes on.

    def _text(self) -> str:
        elapsed = time.monotonic() - self._start
        left = self.seconds_left()
        parts = [f"{self.title}: {self.done / self.total:4.0%}", f"{duration(elapsed)} elapsed"]
        if self.done < self.total:
            parts.append("time left unknown" if left is None else f"about {duration(left)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A duration as people say it: ``45 s``, ``12 min 05 s``, ``3 h 20 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
