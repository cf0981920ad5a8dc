"""Where the real scenes are, and what a test says when they are not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import compile_once
import pytest

REPO = Path(__file__).resolve().parents[1]


def real_data_folder() -> Path:
    """Folder of the real scenes: SOLARKATASTER_DATA, else ../shared/data from the repo root."""
    return Path(os.environ.get("SOLARKATASTER_DATA", REPO.parent / "shared" / "data"))


@pytest.fixture
def figure(request):
    """Call with a name and a text: measured figures are printed at the end of the log."""
    # Properties travel with the report, so that parallel workers lose none.
    return lambda name, text: request.node.user_properties.append(("figure", f"{name}: {text}"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real scenes; the test is skipped, with the reason, where they are absent."""
    folder = real_data_folder()
    if not (folder / "bonn_west").is_dir():
        pytest.skip(f"real data not found in {folder}; set SOLARKATASTER_DATA to run this test")
    return folder


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)
    compile_once.share(config, items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return compile_once.scheduler(config, log)


def pytest_collection_finish(session):
    compile_once.warm_up_once_per_process()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    compile_once.wait(item)


def pytest_terminal_summary(terminalreporter):
    """For the log: measured figures, and how many tests on real data ran or were skipped."""
    for report in (r for reports in terminalreporter.stats.values() for r in reports):
        if getattr(report, "when", "") == "call":
            for kind, text in report.user_properties:
                if kind == "figure":
                    terminalreporter.write_line(text)

    def count(outcome):
        reports = terminalreporter.stats.get(outcome, [])
        return sum("real_data" in report.keywords for report in reports)

    ran = count("passed") + count("failed")
    terminalreporter.write_line(f"real data: {ran} run, {count('skipped')} skipped")


@pytest.fixture(scope="session")
def demo_weather(tmp_path_factory):
    """The demo town's weather, through the file and the reader that a user would have."""
    from solarkataster.config import load_config
    from solarkataster.demo import make_town
    from solarkataster.io.weather import read_weather

    folder = tmp_path_factory.mktemp("demo_weather")
    config = load_config(make_town().write(folder))
    return read_weather(folder / "weather.csv", config.weather)


@pytest.fixture(scope="session")
def sources(demo_weather):
    """The light of the demo town's year."""
    from solarkataster.sky import sky_sources

    return sky_sources(demo_weather)


@pytest.fixture(scope="session")
def sky(sources):
    """The same as a table, north up."""
    from solarkataster.sky_table import sky_table

    return sky_table(sources, 0.0)


@pytest.fixture
def type_in(monkeypatch, capsys):
    """Type a command; returns exit code, output and messages."""

    from solarkataster import cli

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["solarkataster", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return run


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with good inputs and their config."""
    from small_inputs import write_inputs

    write_inputs(tmp_path)
    return tmp_path


# The map of a module's `run` in one browser, on a screen that tests share.


@pytest.fixture(scope="module")
def browser():
    from map_pages import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shared_desktop(browser, run):
    from map_pages import SMALL_DESKTOP, open_map

    with open_map(browser, run, SMALL_DESKTOP) as watched:
        yield watched


@pytest.fixture
def desktop(shared_desktop):
    from map_pages import as_opened

    with as_opened(shared_desktop) as watched:
        yield watched
