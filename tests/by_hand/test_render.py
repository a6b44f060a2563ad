"""Every form of output: what people read, what programs read, and hostile names.

What is read is held by files in ``golden/``; with ``REWRITE_GOLDEN=1`` in the
environment they are written anew.
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import fastjsonschema
import pytest

from mnist_cnn import by_hand
from mnist_cnn.by_hand.columns import measure
from mnist_cnn.by_hand.forms import FORMATS, render
from mnist_cnn.by_hand.render_html import render_html
from mnist_cnn.by_hand.render_json import parse_json, render_json
from mnist_cnn.by_hand.render_latex import render_latex
from mnist_cnn.by_hand.render_svg import render_svg
from mnist_cnn.by_hand.render_text import render_text

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
ENDINGS = {"text": "txt", "markdown": "md", "latex": "tex"}
ZOO = json.loads((HERE.parent / "reference" / "layer_zoo.json").read_text("utf-8"))
BUILT = [network for network in ZOO if network["error"] is None]
SOME = ["connections", "field", "share", "lost"]
HOSTILE = (
    "<script>alert(1)</script>&\"'`|*_{0}%s$\\input{x}~^#\x1b[31m\n\r\t,;=é中\u202e"
)


def question():
    return by_hand.table(by_hand.NETWORKS["question"])


def zoo_tables():
    for network in BUILT:
        table = by_hand.table(network["layers"], lasagne=network["lasagne"])
        yield network["id"], table


def branches():
    """Branches, a flow past others, several outputs, what is not trained."""

    def conv(name, incoming, size, filters=4):
        keywords = {"num_filters": filters, "filter_size": size, "pad": "same"}
        return ("Conv2DLayer", keywords | {"name": name, "incoming": incoming})

    return by_hand.table(
        [
            ("InputLayer", {"name": "image", "shape": (None, 3, 9, 8)}),
            conv("stem", "image", 3),
            conv("left", "stem", 3),
            ("BatchNormLayer", {"name": "norm", "incoming": "left"}),
            ("ElemwiseSumLayer", {"name": "sum", "incomings": ["stem", "norm"]}),
            conv("one", "sum", 1),
            conv("five", "sum", 5),
            ("ConcatLayer", {"name": "both", "incomings": ["one", "five"]}),
            ("DenseLayer", {"name": "digits", "num_units": 10}),
            ("DenseLayer", {"name": "aside", "incoming": "sum", "num_units": 2}),
        ],
        lasagne="0.2",
    )


def hostile():
    conv = {"num_filters": 2, "filter_size": 3}
    return by_hand.table(
        [
            ("InputLayer", {"name": HOSTILE, "shape": (None, 1, 9, 9)}),
            ("Conv2DLayer", conv | {"name": "=1+1"}),
            ("Conv2DLayer", conv | {"name": "x" * 300, "filter_size": 9}),
        ]
    )


def assert_is_golden(name, text):
    path = GOLDEN / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
    assert f"{text}\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_question_in_every_form(form):
    table = question()
    ending = ENDINGS.get(form, form)
    assert_is_golden(f"question.{ending}", render(table, form))
    columns = measure(table, SOME)
    text = render(table, form, columns, parameters=True)
    assert_is_golden(f"question_more.{ending}", text)


@pytest.mark.parametrize("form", FORMATS)
def test_every_count_is_in_every_form(form):
    table = branches()
    text = render(table, form, parameters=True)
    for row in table:
        count = str(row.parameters)
        shown = count if form in ("csv", "json") else f"{row.parameters:,}"
        assert shown.replace(",", "'") in text or count in text
        if row.parameters and form != "latex":
            assert str(row.parameter_formula) in text
        for tensor in row.tensors:
            assert tensor.name in text or tensor.name in text.replace("\\", "")


@pytest.mark.parametrize("form", FORMATS)
def test_every_network_of_the_zoo_in_every_form(form):
    for name, table in zoo_tables():
        assert render(table, form, measure(table, ["all"]), parameters=True), name


def test_an_unknown_form_is_told():
    with pytest.raises(by_hand.HandCalculationError, match="no form 'pdf'; there are"):
        render(question(), "pdf")


# Text


def test_text_without_more_is_answer_1s_table():
    assert render_text(question()) == str(question())


def test_text_fits_80_columns_or_says_what_it_left_out():
    wide = 0
    for name, table in [*zoo_tables(), ("branches", branches()), ("h", hostile())]:
        columns = measure(table, ["all"])
        whole = render_text(table, columns, parameters=True, width=None)
        lines = render_text(table, columns, parameters=True).splitlines()
        assert max(map(len, lines)) <= 80, name
        said = any(line.startswith("left out to fit 80 columns") for line in lines)
        fits = max(map(len, render_text(table, width=None).splitlines())) <= 80
        assert said or fits, name
        wide += said
        assert not any(line.startswith("left out") for line in whole.splitlines())
    assert wide


def test_long_names_are_cut_before_formulas_are_left_out():
    dense = {"num_units": 3, "name": "a_name_that_is_very_long_" * 3}
    table = by_hand.table([("InputLayer", {"shape": (None, 7)}), ("DenseLayer", dense)])
    text = render_text(table)
    assert "(7+1)*3 = 24" in text
    assert re.search(r"a_name_that_is_very_long_a_name\w*\.\.\. ", text)
    assert "left out to fit 80 columns: ends of names" in text


def test_text_has_what_is_not_trained_apart():
    text = render_text(branches(), parameters=True)
    learned, _, kept = text.partition("not trainable\n")
    assert "beta 4 = 4" in learned
    assert "inv_std 4 = 4" in kept


def test_a_size_below_one_has_a_footnote():
    text = " ".join(str(hostile()).split())
    assert "columns the input has 7, there is no pad, and the filter takes 9" in text
    assert "a filter of at most 7, or" in text


def test_table_of_no_parameters():
    table = by_hand.table([("InputLayer", {"shape": (None, 3)})])
    assert render_text(table, parameters=True).endswith("0 = 0\n\nno parameters")


# JSON


SCHEMA = json.loads(
    (Path(by_hand.__file__).parent / "table.schema.json").read_text(encoding="utf-8")
)


def test_json_is_as_its_schema_says_and_comes_back_the_same():
    check = fastjsonschema.compile(SCHEMA)
    tables = [*zoo_tables(), ("branches", branches()), ("hostile", hostile())]
    for _, table in tables:
        columns = measure(table, ["all"])
        text = render_json(table, columns)
        check(json.loads(text))
        again, columns_again = parse_json(text)
        assert (again, columns_again) == (table, columns)
        assert str(again) == str(table)
        assert render_json(again, columns_again) == text


def test_schema_refuses_what_the_form_does_not_have():
    check = fastjsonschema.compile(SCHEMA)
    data = json.loads(render_json(question()))
    for change in ({"version": 2}, {"total": "many"}, {"more": 1}, {"layers": [{}]}):
        with pytest.raises(fastjsonschema.JsonSchemaException):
            check(data | change)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", 'needed is "form"'),
        ('{"form": "mnist-cnn table", "version": 9}', "version 9"),
        ('{"form": "mnist-cnn table", "version": 1}', "schema"),
        ('{"form": "mnist-cnn table", "version": 1, "layers": [3]}', "schema"),
    ],
)
def test_json_that_is_no_table_is_told(text, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        parse_json(text)


def test_json_whose_number_is_not_its_formulas_is_told():
    text = render_json(question()).replace('"result": 832', '"result": 833')
    with pytest.raises(by_hand.HandCalculationError, match="comes to 832"):
        parse_json(text)


# CSV


def test_csv_reads_back():
    table = branches()
    text = render(table, "csv", measure(table, SOME), parameters=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == [row.name for row in table]
    assert sum(int(row["parameters"]) for row in rows) == table.total
    assert rows[-1]["inputs"] == "sum"
    assert rows[3]["tensors"].startswith("beta 4 = 4; gamma 4 = 4")


def test_csv_has_no_cell_that_a_spreadsheet_would_run():
    rows = list(csv.reader(io.StringIO(render(hostile(), "csv"))))
    assert rows[2][1] == "'=1+1"
    assert len({len(row) for row in rows}) == 1
    assert rows[1][1] == HOSTILE


# Markup


class Reader(HTMLParser):
    """Collects the tags and attributes of a page; each tag must be closed."""

    VOID = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.attributes, self.words = set(), [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("table", [question(), branches(), hostile()])
def test_page_is_whole_runs_nothing_and_fetches_nothing(table):
    columns = measure(table, ["all"])
    text = render_html(table, columns, parameters=True)
    page = Reader(text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "a"})
    names = {name for name, _ in page.attributes}
    assert names.isdisjoint({"src", "href", "onclick", "onload"})
    assert not re.search(r"url\(|@import|http://(?!www\.w3\.org/2000/svg)", text)
    assert "prefers-color-scheme: dark" in text
    assert "\x1b" not in text


def test_types_and_formulas_do_not_overlap_in_the_picture():
    for _, table in zoo_tables():
        picture = render(table, "svg")
        shown = re.findall(
            r'class="(?:soft|mono end)" x="\d+" y="36">([^<]*)<', picture
        )
        assert len(shown) == 2 * len(table)
        for type_, formula in zip(shown[::2], shown[1::2], strict=True):
            assert len(type_) + len(formula) <= 37


def test_latex_has_columns_of_fixed_width_alone():
    columns = measure(branches(), ["all"])
    text = render(branches(), "latex", columns, parameters=True)
    specifications = re.findall(r"\\begin\{longtable\}\{(.*)\}", text)
    assert len(specifications) == len(columns) + 2
    for one in specifications:
        assert re.fullmatch(r"(?:[FG]\{0\.\d+\} ?)+", one)
        widths = [float(width) for width in re.findall(r"0\.\d+", one)]
        # Between columns there are twelve points of a line of more than seven hundred.
        assert sum(widths) + len(widths) * 12 / 700 < 1


def test_notebook_shows_the_table():
    part = question()._repr_html_()
    words = "".join(Reader(part).words)
    assert "(5*5*1+1)*32" in words
    assert "217'706" in words
    assert "<html" not in part


@pytest.mark.parametrize("table", [question(), branches(), hostile()])
def test_picture_is_xml_with_every_layer_and_flow(table):
    picture = ElementTree.fromstring(render_svg(table, measure(table, SOME)))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{svg}g")) == len(table)
    flows = sum(len(set(row.sources)) for row in table)
    assert len(picture.findall(f"{svg}path")) == flows


def test_boxes_of_the_picture_do_not_overlap():
    for name, table in [*zoo_tables(), ("branches", branches())]:
        picture = ElementTree.fromstring(render_svg(table, parameters=True))
        svg = "{http://www.w3.org/2000/svg}"
        boxes = set()
        for group in picture.findall(f"{svg}g"):
            x, y = map(int, re.findall(r"\d+", group.get("transform")))
            box = group.find(f"{svg}rect")
            right, foot = x + int(box.get("width")), y + int(box.get("height"))
            assert right <= int(picture.get("width")), name
            assert foot <= int(picture.get("height")), name
            boxes.add((x, y, right, foot))
        assert len(boxes) == len(table)
        for one in boxes:
            for other in boxes - {one}:
                apart = one[2] <= other[0] or other[2] <= one[0]
                assert apart or one[3] <= other[1] or other[3] <= one[1], name


def test_flow_past_others_has_a_lane_of_its_own():
    picture = ElementTree.fromstring(render_svg(branches()))
    svg = "{http://www.w3.org/2000/svg}"
    assert len({group.get("transform") for group in picture.findall(f"{svg}g")}) == 10
    bent = [path for path in picture.findall(f"{svg}path") if "C" in path.get("d")]
    assert len(bent) > 2


# LaTeX


def test_latex_is_ascii_whatever_the_names():
    table = hostile()
    text = render_latex(table, measure(table, ["all"]), parameters=True)
    assert text.isascii()
    assert r"\input{x}" not in text
    assert r"\'{e}" in text
    assert "U+4E2D" in text.replace(r"\allowbreak{}", "")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs LaTeX")
@pytest.mark.parametrize("table", [question(), branches(), hostile()])
def test_latex_compiles(table, tmp_path):
    text = render_latex(table, measure(table, ["all"]), parameters=True)
    (tmp_path / "table.tex").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "table.pdf").stat().st_size > 10_000


# One text, shown and computed


def evaluate(shown):
    assert re.fullmatch(r"[\d+\-*/() ]*", shown), shown
    return eval(re.sub("/+", "//", shown), {"__builtins__": {}})


def test_what_text_shows_is_what_it_reports():
    equation = re.compile(r"(\S*[*+/]\S*) += +([\d']+)")
    found = 0
    for name, table in zoo_tables():
        columns = measure(table, ["connections", "activations", "bytes", "field"])
        for line in render_text(table, columns, width=None).splitlines():
            for shown, result in equation.findall(line):
                if re.fullmatch(r"[\d+\-*/()]*", shown):
                    assert evaluate(shown) == int(result.replace("'", "")), name
                    found += 1
    assert found > 1000


def test_what_json_shows_is_what_it_reports():
    def check(data):
        if isinstance(data, dict) and "numbers" in data and data["result"] is not None:
            assert evaluate(data["numbers"]) == data["result"]
        for value in data.values() if isinstance(data, dict) else data:
            if isinstance(value, (dict, list)):
                check(value)

    for _, table in zoo_tables():
        check(json.loads(render_json(table, measure(table, ["all"]))))
