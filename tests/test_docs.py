"""Pages that repeat what code says must say the same."""

import runpy

from conftest import REPO


def test_the_data_model_page_is_made_from_the_declarations():
    page = runpy.run_path(str(REPO / "docs" / "make_data_model.py"))["page"]()
    assert (REPO / "docs" / "data-model.md").read_text(encoding="utf-8") == page


def test_the_readme_names_every_command():
    from solarkataster.cli import app

    readme = (REPO / "README.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"| `{command.callback.__name__}" in readme
