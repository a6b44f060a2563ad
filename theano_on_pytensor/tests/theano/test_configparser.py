"""How flags and configuration files are read, and what holds their values."""

import os
import warnings

import pytest

from theano.configparser import (
    Setting,
    TheanoConfigParser,
    TheanoConfigWarning,
    change_flags,
    parse_bool,
    parse_flags,
    read_theanorc,
    theanorc_paths,
)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("", {}),
        ("floatX=float32", {"floatX": "float32"}),
        ("floatX=float32,device=cpu", {"floatX": "float32", "device": "cpu"}),
        (" floatX = float32 , device=cpu,", {"floatX": "float32", "device": "cpu"}),
        ("mode=FAST_RUN,mode=FAST_COMPILE", {"mode": "FAST_COMPILE"}),
        ("blas.ldflags='-L/a b -lm, -lf77'", {"blas.ldflags": "-L/a b -lm, -lf77"}),
        ("gcc.cxxflags=-O3 -DX=1", {"gcc.cxxflags": "-O3 -DX=1"}),
        ("blas.ldflags=", {"blas.ldflags": ""}),
    ],
)
def test_flags_are_parsed(text, flags):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_flags(text) == flags


def test_a_flag_without_a_value_is_named_and_left_out():
    with pytest.warns(TheanoConfigWarning, match=r"'floatX' has no value"):
        assert parse_flags("floatX,device=cpu") == {"device": "cpu"}


def test_sections_of_theanorc_become_dotted_names(tmp_path):
    file = tmp_path / "rc"
    file.write_text(
        "[global]\nfloatX = float32\ndevice=cpu\n[blas]\nldflags = -lm -lf77\n"
        "[dnn.conv]\nalgo_fwd = time_once\n",
        encoding="utf-8",
    )
    assert read_theanorc([file]) == {
        "floatX": "float32",
        "device": "cpu",
        "blas.ldflags": "-lm -lf77",
        "dnn.conv.algo_fwd": "time_once",
    }


def test_a_later_file_wins_and_a_missing_one_is_passed_over(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("[global]\nfloatX=float32\nmode=FAST_RUN\n", encoding="utf-8")
    second.write_text("[global]\nfloatX=float64\n", encoding="utf-8")
    flags = read_theanorc([first, tmp_path / "none", second])
    assert flags == {"floatX": "float64", "mode": "FAST_RUN"}


@pytest.mark.parametrize("content", [b"floatX=float32\n", b"[global]\nx=\xff\xfe\n"])
def test_a_file_that_cannot_be_parsed_is_named(tmp_path, content):
    file = tmp_path / "broken"
    file.write_bytes(content)
    with pytest.warns(TheanoConfigWarning, match="broken"):
        assert read_theanorc([file]) == {}


def test_theanorc_is_in_the_home_folder_unless_listed(tmp_path, monkeypatch):
    monkeypatch.delenv("THEANORC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert theanorc_paths()[0] == tmp_path / ".theanorc"

    listed = [tmp_path / "a", tmp_path / "b"]
    monkeypatch.setenv("THEANORC", os.pathsep.join(map(str, listed)))
    assert theanorc_paths() == listed


@pytest.mark.parametrize("value", [True, 1, "1", "true", "True"])
def test_what_is_true(value):
    assert parse_bool(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "False"])
def test_what_is_false(value):
    assert parse_bool(value) is False


@pytest.mark.parametrize("value", ["yes", "", 2, None])
def test_what_is_neither(value):
    with pytest.raises(ValueError, match="expected True or False"):
        parse_bool(value)


@pytest.fixture
def config():
    settings = {
        "device": Setting("cpu", str, frozen=True),
        "force_device": Setting(False, parse_bool, frozen=True),
        "mode": Setting("Mode", str),
        "scan.debug": Setting(False, parse_bool),
        "dnn.conv.algo_fwd": Setting("small"),
    }
    return TheanoConfigParser(settings, frozenset(), {"mode": "FAST_RUN"})


def test_values_given_win_over_defaults(config):
    assert (config.mode, config.device) == ("FAST_RUN", "cpu")


def test_sections_are_nested_attributes(config):
    assert config.scan.debug is False
    assert config.dnn.conv.algo_fwd == "small"
    config.scan.debug = "True"
    assert config.scan.debug is True
    config.dnn.conv.algo_fwd = "time_once"
    assert config.dnn.conv.algo_fwd == "time_once"


def test_unknown_settings_are_attribute_errors(config):
    with pytest.raises(AttributeError, match="'speed'"):
        _ = config.speed
    with pytest.raises(AttributeError, match=r"'scan\.speed'"):
        _ = config.scan.speed
    with pytest.raises(AttributeError, match="'speed'.*'fast'"):
        config.speed = "fast"
    assert not hasattr(config, "__wrapped__")


def test_values_are_checked_and_a_bad_one_changes_nothing(config):
    with pytest.raises(ValueError, match=r"'maybe'.*'scan\.debug'"):
        config.scan.debug = "maybe"
    assert config.scan.debug is False
    settings = {"force_device": Setting(False, parse_bool)}
    with pytest.raises(ValueError, match=r"'maybe'.*'force_device'"):
        TheanoConfigParser(settings, frozenset(), {"force_device": "maybe"})


def test_frozen_settings_stay(config):
    with pytest.raises(Exception, match=r"config\.device can't change"):
        config.device = "gpu"
    assert config.device == "cpu"


def test_changes_are_announced(config):
    heard = []
    config._settings["mode"].on_change = lambda: heard.append(config.mode)
    config.mode = "FAST_COMPILE"
    assert heard == ["FAST_COMPILE"]


def test_flags_change_for_a_while(config):
    with config.change_flags(mode="FAST_COMPILE", scan__debug=True):
        assert (config.mode, config.scan.debug) == ("FAST_COMPILE", True)
    assert (config.mode, config.scan.debug) == ("FAST_RUN", False)

    @change_flags(config, **{"scan.debug": True})
    def read():
        return config.scan.debug

    assert read() is True
    assert config.scan.debug is False


def test_flags_change_back_after_an_error(config):
    with pytest.raises(ZeroDivisionError), config.change_flags(mode="DebugMode"):
        raise ZeroDivisionError
    assert config.mode == "FAST_RUN"
    with pytest.raises(ValueError, match="maybe"):
        config.change_flags(mode="DebugMode", scan__debug="maybe").__enter__()
    assert config.mode == "FAST_RUN"


def test_all_settings_are_listed(config):
    assert list(config) == [
        "device",
        "dnn.conv.algo_fwd",
        "force_device",
        "mode",
        "scan.debug",
    ]
    assert {"device", "dnn", "scan", "change_flags"} <= set(dir(config))
    assert "scan.debug = False" in str(config).splitlines()
