"""Find out whether models learned anything: do their forecasts depend on what they are given?

    socialmd diagnose runs/sequence_2d runs/molecules_2d data/carriers diagnosis

The thesis (section 3.4) saw sequence models "converge into a single configuration regardless of the
input", or oscillate between two. Every window of a split is forecast, in two or three dimensions;
in the output folder arise

    diagnosis.json        errors, whether models beat the best simple forecast, and dependence on
                          the input; `Verdict` and `InputDependence` explain the keys
    configurations.png    the last forecast configuration for a few pasts, as in figure 21
    dependence.png        variance over inputs, distance to the mean configuration, errors by step

and both figures as PDF. The first model's configuration says how trajectories become windows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from socialmd.commands.command_line import MODEL, make_parser, parse_first, run_script
from socialmd.data.dataset_description import SPLITS, read_description


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("diagnose", __doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="model", help=MODEL)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("output", type=Path, help="folder to write to")
    parser.add_argument(
        "--split", choices=SPLITS, help="default: test, or validation if there is no such split"
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

from socialmd.files import write_json
from socialmd.reporting import (
    Diagnosis,
    compare_windows,
    diagnose,
    draw_configurations,
    draw_dependence,
    load_models,
    overall_table,
    save_png_and_pdf,
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the script.

    Args:
        argv: command line arguments; those of the process if none are given.
    """
    arguments = _parse(argv)
    models = load_models(arguments.models)
    config = next(iter(models.values())).experiment.data
    for remark in compare_windows(models):
        print(remark)
    split = arguments.split or default_split(arguments.data)
    diagnosis = diagnose(models, config, arguments.data, split)
    output: Path = arguments.output
    tables = {
        "data": {"split": split, "windows": len(diagnosis.windows.truth)},
        "length_unit": diagnosis.unit,
        "errors": {name: asdict(each) for name, each in diagnosis.errors.items()},
        "verdict": {name: asdict(each) for name, each in diagnosis.verdict.items()},
        "dependence": {name: asdict(each) for name, each in diagnosis.dependence.items()},
    }
    write_json(output / "diagnosis.json", tables)
    name_units = diagnosis.description.name_units
    save_png_and_pdf(draw_configurations(diagnosis), output, "configurations", name_units)
    save_png_and_pdf(draw_dependence(diagnosis), output, "dependence", name_units)
    print(f"{split} split: ", end="")
    print_tables(diagnosis)
    print(f"\nNumbers and figures: {output}")


def default_split(data: Path) -> str:
    """The test split, or, where there is none, the validation split, which chose the weights."""
    splits = {Path(name).parts[0] for name in read_description(data).files}
    return "test" if "test" in splits else "validation"


def print_tables(diagnosis: Diagnosis) -> None:
    """The most important numbers."""
    print(f"{len(diagnosis.windows.truth)} windows, lengths in {diagnosis.unit}\n")
    print(overall_table(diagnosis.errors), end="\n\n")
    width = max(map(len, diagnosis.dependence))
    print(
        f"{'at the last step':{width}}  variance/truth  distance to mean  step/truth  two steps/one"
    )
    for name, each in diagnosis.dependence.items():
        turning = "-" if each.two_step_ratio is None else f"{each.two_step_ratio:.2f}"
        print(
            f"{name:{width}}  {each.variance_ratio_per_step[-1]:14.4f}  "
            f"{each.distance_to_mean_per_step[-1]:16.4g}  {each.step_ratio_per_step[-1]:10.3f}  "
            f"{turning:>13}"
        )
    truth = next(iter(diagnosis.dependence.values())).true_distance_to_mean_per_step[-1]
    print(f"{'truth':{width}}  {1.0:14.4f}  {truth:16.4g}  {1.0:10.3f}\n")
    print(*(verdict.sentence for verdict in diagnosis.verdict.values()), sep="\n")


if __name__ == "__main__":
    run_script(main)
