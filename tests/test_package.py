"""The package itself gives what is public, when it is asked for."""

import importlib
from pathlib import Path

import pytest

import socialmd

PACKAGE = Path(socialmd.__file__).parent


def test_every_subpackage_is_given():
    """But for what runs in shells, and for the configuration, which is there from the beginning."""
    found = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(socialmd.SUBPACKAGES) == found - {"commands", "config"}
    for name in socialmd.SUBPACKAGES:
        assert getattr(socialmd, name) is importlib.import_module(f"socialmd.{name}")
    assert {*socialmd.SUBPACKAGES, "forecast", "load_config", "__version__"} <= set(dir(socialmd))


def test_no_module_takes_the_place_of_what_is_given():
    """Whoever imports a submodule would find it under the name of a function."""
    assert not {path.stem for path in PACKAGE.iterdir()} & {*socialmd.__all__, "forecast"}
    assert socialmd.forecast is socialmd.models.forecast


def test_what_there_is_not_is_named():
    with pytest.raises(AttributeError, match="module 'socialmd' has no attribute 'nothing'"):
        _ = socialmd.nothing
