"""The page ``NAMES.md`` says what the code is."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "list_theano_names"


@pytest.fixture(scope="module")
def script():
    loader = SourceFileLoader("list_theano_names", str(SCRIPT))
    spec = importlib.util.spec_from_loader("list_theano_names", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_is_what_the_script_writes(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.render(*script.count_cases())


def test_every_name_in_use_has_a_row(script):
    rows = list(script.rows())
    names = script.NAMES_IN_USE.read_text(encoding="utf-8").splitlines()[1:]
    assert [row[1] for row in rows] == [line.split("\t")[1] for line in names]
    assert all(row[2] for row in rows)


def test_every_difference_is_of_a_name_that_is_there(script):
    for name in script.DIFFERENCES:
        script.find(name)


def test_the_readme_leads_to_the_pages():
    readme = (ROOT / "theano_on_pytensor" / "README.md").read_text(encoding="utf-8")
    assert "(NAMES.md)" in readme
    assert "(ERRORS.md)" in readme
