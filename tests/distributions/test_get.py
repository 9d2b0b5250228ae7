import pytest

from socialmd import distributions


def test_gaussian_is_found_by_name():
    assert isinstance(distributions.get("gaussian"), distributions.BivariateGaussian)


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"distribution: expected one of .*'gaussian'.*'gauss'"):
        distributions.get("gauss")
