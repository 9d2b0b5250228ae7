from socialmd.reporting.variant_table import variant_table


def numbers(nll, mae, seconds=None, megabytes=500):
    """Of one training with 735 weights."""
    test = {"nll": nll, "mae": mae, "median_error": mae / 2, "fde": 2 * mae}
    measured = {"seconds_per_step": seconds, "peak_memory_bytes": megabytes * 1_000_000}
    return {"parameters": 735, "test": test, "training": None if seconds is None else measured}


SETTINGS = {
    "reference": {"grid_sizes": [4.0, 1.0], "distance_filter": True},
    "nano": {"grid_sizes": [], "distance_filter": False},
}


def rows_of(trainings):
    lines = variant_table(trainings, SETTINGS).splitlines()
    header, rule, *rows = [line.strip("| ").split(" | ") for line in lines]
    assert len(rule) == len(header)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_seeds_are_summarized():
    reference = [numbers(-1.0, 0.1, 0.5, 600), numbers(-3.0, 0.2, 0.1, 500)]
    reference.append(numbers(-2.0, 0.3, 0.2, 400))
    first, second = rows_of({"reference": reference, "nano": [numbers(1.0, 0.4, 0.1, 50)]})
    assert first == {
        "variant": "reference",
        "settings": "grid_sizes = [4.0, 1.0], distance_filter = true",
        "parameters": "735",
        "seeds": "3",
        "test NLL": "-2.0000 ± 1.0000",
        "test MAE": "0.2000 ± 0.1000",
        "median error": "0.1000 ± 0.0500",
        "FDE": "0.4000 ± 0.2000",
        "ms per step": "200",
        "x reference": "1.00",
        "peak MB": "500",
    }
    assert second["variant"] == "nano"
    assert second["settings"] == "grid_sizes = [], distance_filter = false"
    assert second["test NLL"] == "1.0000"  # of one seed nothing is known about the spread
    assert second["x reference"] == "0.50"


def test_what_was_not_measured_is_not_invented():
    trainings = {"reference": [numbers(1.0, 0.1)], "nano": [numbers(1.0, 0.1, 0.2)]}
    first, second = rows_of(trainings)
    assert (first["ms per step"], first["x reference"], first["peak MB"]) == ("-", "-", "-")
    assert (second["ms per step"], second["x reference"]) == ("200", "-")
    trainings["nano"].append(numbers(1.0, 0.1))
    assert rows_of(trainings)[1]["ms per step"] == "200"
