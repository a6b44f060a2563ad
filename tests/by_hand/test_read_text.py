"""Text of any form: which one it is, whether it is text at all, how long it may be."""

import codecs
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_text import (
    MOST_BYTES,
    decode,
    find_networks,
    read_file,
    read_text,
    tell_form,
)

SHORT = "1x28x28 conv4@3 dense3"
JSON = '[["InputLayer", {"shape": [null, 7]}], ["DenseLayer", {"num_units": 3}]]'
PYTHON = "l = DenseLayer(InputLayer((None, 7)), 3)"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (SHORT, "short"),
        (f"\n  {SHORT}\n", "short"),
        ("image=3x?x?", "short"),
        (JSON, "json"),
        (f"\n{JSON}", "json"),
        ('[\n  [\n    "InputLayer"', "json"),
        ('{"layers": []}', "json"),
        ("[]", "json"),
        (PYTHON, "python"),
        ("[('input', InputLayer)]", "python"),
        ("[[InputLayer, {'shape': (None, 7)}]]", "python"),
        ("{'layers': []}", "python"),
        ("[ConvLayer]", "python"),
        ("28 is the size", "short"),
        ("How many?", "python"),
        ("", "python"),
    ],
)
def test_a_form_is_told_from_its_start(text, form):
    assert tell_form(text) == form


@pytest.mark.parametrize("text", [SHORT, JSON, PYTHON])
def test_every_form_is_read(text):
    assert len(find_networks(text)) == 1
    assert by_hand.calculate(read_text(text)).total is not None


def test_the_version_is_that_which_is_asked_for():
    gru = "5x3 gru2"
    old, new = (
        by_hand.calculate(read_text(gru, lasagne=one)) for one in ("0.1", "0.2")
    )
    assert (old.lasagne, new.lasagne) == ("0.1", "0.2")
    assert old.total - new.total == 2
    with pytest.raises(by_hand.DescriptionError, match="no rules for Lasagne '3'"):
        read_text(gru, lasagne="3")


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"": (3, 8, 8)}, "has 2 input layers, say which: left=SIZE or right=SIZE"),
        (
            {"top": (3,)},
            "no input layer called 'top'; its input layers are left, right",
        ),
        ({"left": (0,)}, "left: a size of shape=0"),
        ({"left": (9,)}, "the inputs differ"),
    ],
)
def test_another_input_size_must_fit(sizes, told):
    code = """
left = InputLayer((None, 7), name='left')
right = InputLayer((None, 7), name='right')
both = ElemwiseSumLayer([left, right])
"""
    with pytest.raises(by_hand.HandCalculationError, match=told):
        by_hand.calculate(read_text(code, input_sizes=sizes))


def test_another_input_size_keeps_the_batch():
    code = "l = DenseLayer(InputLayer((128, 7)), 3)"
    table = by_hand.calculate(read_text(code, input_sizes={"": (9,)}))
    assert table.rows[0].output_shape == (128, 9)
    with pytest.raises(by_hand.DescriptionError, match="no input layer whose size"):
        read_text("l = DenseLayer((None, 7), 3)", input_sizes={"": (9,)})


# Text, and what is none


@pytest.mark.parametrize(
    "data",
    [
        f"{SHORT} # ü".encode(),
        codecs.BOM_UTF8 + f"{SHORT} # ü".encode(),
        f"{SHORT} # ü".encode("utf-16"),
        codecs.BOM_UTF16_BE + f"{SHORT} # ü".encode("utf-16-be"),
        f"# -*- coding: latin-1 -*-\n{SHORT} # ü".encode("latin-1"),
    ],
)
def test_bytes_become_text(data):
    assert decode(data).endswith(f"{SHORT} # ü")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"l = 1\n\xff\xfe\n", "no text in UTF-8: see byte 6, 0xff"),
        (bytes(range(256)), "no text in UTF-8: see byte 128, 0x80"),
        (b"# coding: nonsense\n", "it is no text: unknown encoding"),
        (b"# coding: utf-8\n\xff", "no text|invalid"),
        (b"\xff\xfe\x00", "no text in UTF-8: see byte 2, 0x00"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data, told):
    with pytest.raises(by_hand.DescriptionError, match=told):
        decode(data)


@pytest.mark.parametrize("text", ["a\0b", f"{SHORT}\n\0", "[[\0"])
def test_a_nul_character_is_told_with_its_line(text):
    line = text[: text.index("\0")].count("\n") + 1
    with pytest.raises(by_hand.DescriptionError, match=f"line {line} holds a NUL"):
        read_text(text)


@pytest.mark.parametrize("start", ["", "[", "[[", "1x28x28 ", "x = 1\n", "# ", '"""'])
def test_ten_million_characters_are_refused_at_once(start):
    text = start + "a" * 10_000_000
    before = time.process_time()
    with pytest.raises(by_hand.DescriptionError, match=f"longer than {MOST_BYTES:,}"):
        read_text(text)
    with pytest.raises(by_hand.DescriptionError, match=f"longer than {MOST_BYTES:,}"):
        decode(text.encode())
    assert time.process_time() - before < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["a", "[", "(", "x = 1\n", "l = DenseLayer(l, 3)\n", "dense3 ", '"', "é"],
)
@pytest.mark.parametrize("start", ["", "1x28x28 ", '[["', "l = InputLayer((2, 3))\n"])
def test_the_longest_text_that_is_read_takes_seconds_at_most(start, unit):
    text = (start + unit * MOST_BYTES)[:MOST_BYTES]
    before = time.process_time()
    with pytest.raises(by_hand.HandCalculationError):
        by_hand.calculate(read_text(text))
    assert time.process_time() - before < 30


def test_more_layers_than_any_network_has_are_refused():
    text = "[" + ",".join(['["InputLayer", {"shape": [null, 3]}]'] * 10_001) + "]"
    with pytest.raises(by_hand.DescriptionError, match="10001 layers; 10000 are"):
        read_text(text)


def test_sizes_that_grow_beyond_an_array_are_refused():
    with pytest.raises(by_hand.ImpossibleSizeError, match="beyond 9223372036854775807"):
        by_hand.calculate(read_text("1x9x9 400*upscale999999999"))
    with pytest.raises(by_hand.ImpossibleSizeError, match="dense2: .* beyond"):
        by_hand.calculate(read_text(f"2 dense{10**17} dense{10**17}"))


def test_a_file_is_read_by_its_ending(tmp_path):
    for name, form in [("a.py", "python"), ("a.JSON", "json"), ("a.txt", None)]:
        path = tmp_path / name
        path.write_text(SHORT, encoding="utf-8")
        assert read_file(path) == (SHORT, form)
    with pytest.raises(by_hand.DescriptionError, match="cannot be read: "):
        read_file(tmp_path)
    with pytest.raises(by_hand.DescriptionError, match="cannot be read: No such"):
        read_file(tmp_path / "b.py")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_table_or_the_declared_error(data):
    try:
        str(by_hand.calculate(read_text(decode(data))))
    except by_hand.HandCalculationError as error:
        assert str(error)
