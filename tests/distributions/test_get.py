import pytest

from socialmd import distributions


def test_gaussian_is_found_by_name():
    assert isinstance(distributions.get("gaussian"), distributions.BivariateGaussian)


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"distribution: expected one of .*'gaussian'.*'gauss'"):
        distributions.get("gauss")


class Wide(distributions.StudentT):
    """Somebody's own distribution."""


class Foreign:
    """Inherits from nothing, and has all methods."""

    def __getattr__(self, name):
        return getattr(distributions.get("gaussian"), name)


@pytest.mark.parametrize("own", [Wide(), Foreign()])
def test_an_object_is_a_distribution_as_well_as_a_name(own):
    assert distributions.get(own) is own


@pytest.mark.parametrize("what", [3, distributions.StudentT])
def test_what_lacks_the_methods_is_refused(what):
    with pytest.raises(ValueError, match=r"or an object with the methods of .*found (3|<class)"):
        distributions.get(what)
