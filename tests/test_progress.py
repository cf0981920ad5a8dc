"""Progress speaks when it takes long, in lines a log can hold, with the time left."""

from __future__ import annotations

import io
import time

import pytest

from solarkataster import progress
from solarkataster.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def worked(stream, monkeypatch, quiet_s: float, work_s: float = 0.3) -> str:
    monkeypatch.setattr(progress, "LINE_PAUSE_S", 0.05)
    monkeypatch.setattr(progress, "REDRAW_S", 0.05)
    with Progress("light", 4.0, stream, quiet_s) as shown:
        shown.advance(1.0)
        time.sleep(work_s)
    return stream.getvalue()


def test_short_work_says_nothing(monkeypatch):
    assert worked(io.StringIO(), monkeypatch, quiet_s=60.0, work_s=0.0) == ""


def test_a_log_gets_plain_lines_with_the_time_left(monkeypatch):
    lines = worked(io.StringIO(), monkeypatch, quiet_s=0.05).splitlines()
    assert len(lines) >= 2
    assert lines[0].startswith("light:  25%, ")
    assert "left" in lines[0]
    assert "100%" in lines[-1]
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_a_terminal_gets_one_line_redrawn(monkeypatch):
    text = worked(Terminal(), monkeypatch, quiet_s=0.05)
    assert text.count("\n") == 1
    assert text.count("\r") >= 2


def test_the_time_left_is_at_the_pace_so_far():
    shown = Progress("light", 10.0, io.StringIO())
    assert shown.seconds_left() is None
    shown.at(2.5)
    elapsed_s = time.monotonic() - shown._start
    assert shown.seconds_left() == pytest.approx(3.0 * elapsed_s, abs=0.05)


def test_a_closed_stream_does_not_stop_the_work(monkeypatch):
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(stream, "isatty", lambda: False, raising=False)
    with Progress("light", 1.0, stream, quiet_s=0.01):
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (725, "12 min 05 s"), (3600 * 3 + 60 * 20 + 5, "3 h 20 min")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text
