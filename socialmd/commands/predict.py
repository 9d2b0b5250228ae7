"""Forecast one trajectory with a trained model.

    socialmd predict thesis data/monopoles/test/simulation_00120.npy forecast --num-steps 100

Writes, for OVITO, ChimeraX and the like as well as for NumPy,

    forecast.npy       positions [steps, N, D]
    parameters.npy     of the predicted distributions, [steps, N, P]
    forecast.xyz       extended XYZ; sigma is the predicted standard deviation per coordinate, error
                       the distance from the truth, there if the file goes on for all of the steps
    truth.xyz          the same particles and times as the file has them, as far as it goes on
    forecast.pdb       a model for each step, if lengths are in angstrom or with --pdb; B-factors
                       are each particle's mean error or, without `error` above, mean sigma
    truth.pdb          likewise, without B-factors
    samples.npy        many futures for the one past [S, steps, N, D], with --num-samples S; moved
                       about their mean with --recalibrated, which of all others corrects sigma
    orientations.npy   unit vectors [steps, N, D], if the model says which way particles point: in
                       the XYZ files three columns, and angle_error in degrees; samples are poses

Where a data set's features are one-hot names, as those of molecules are, they are written as the
particles' residue names, and the atoms that stand for molecules as atoms. Where a file was cut out
of a longer simulation and its data set says from which frame on, times count from the beginning of
the simulation.

Files of an earlier forecast are replaced when all of the new ones are written, or else stay.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from socialmd.commands.command_line import (
    MODEL,
    add_filters,
    add_import,
    import_modules,
    make_parser,
    parse_first,
    positive_integer,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("predict", __doc__)
    parser.add_argument("model", type=Path, help=MODEL)
    parser.add_argument("file", type=Path, help="trajectory [frames, N, F] as in a data set, .npy")
    parser.add_argument("output", type=Path, help="folder to write to")
    parser.add_argument("--start-frame", type=int, help="first frame of the past; default: latest")
    parser.add_argument("--num-steps", type=int, help="default: as many as in training")
    parser.add_argument(
        "--feedback", choices=("mean", "most_likely", "sample"), help="default: as in training"
    )
    parser.add_argument("--num-samples", type=positive_integer, help="futures to draw as well")
    parser.add_argument(
        "--recalibrated",
        action="store_true",
        help="correct sigma, and how far futures are apart, as the validation split has shown",
    )
    parser.add_argument("--seed", type=int, default=0, help="of samples; default: 0")
    parser.add_argument(
        "--frame-spacing",
        type=float,
        help="time between two frames of the file; default: as its data set says, or else 1",
    )
    parser.add_argument(
        "--box", type=Path, help="periodic box of the file, .npy; default: as its data set has it"
    )
    parser.add_argument(
        "--wrap",
        action="store_true",
        help="write positions that lie in the periodic box; default: paths without jumps",
    )
    parser.add_argument(
        "--pdb",
        action="store_true",
        help="write PDB files, too; default: if the data set's unit of length is angstrom",
    )
    add_filters(parser, "correct the forecast by", "by all of them")
    add_import(parser)
    arguments = parser.parse_args(argv)
    if arguments.recalibrated and arguments.feedback == "sample":
        parser.error(
            "--recalibrated: not with --feedback sample, which draws one future; --num-samples "
            "draws several, which can be moved about their mean"
        )
    return arguments


parse_first(__name__, _parse)  # what follows takes seconds to import

import keras
import numpy as np

from socialmd.data import DatasetDescription, FeatureLayout, ForecastTask, read_forecast_task
from socialmd.data.dataset_description import (
    DESCRIPTION_FILE,
    SPLITS,
    box_file,
    read_description,
    save_array,
)
from socialmd.data.extended_xyz import TAKEN, write_extended_xyz
from socialmd.data.feature_layout import AXES, ORIENTATION
from socialmd.data.load_trajectories import read_box
from socialmd.data.masked_inputs import pack
from socialmd.evaluation import (
    ForecastMetrics,
    KnownData,
    Verdict,
    angles_between,
    make_baselines,
)
from socialmd.files import put_in_place, unfinished_folder
from socialmd.models import ConservationFilters, ForecastModel, load
from socialmd.molecular import write_pdb
from socialmd.periodic_box import PeriodicBox
from socialmd.reporting import overall_table
from socialmd.simulation import law_of
from socialmd.types import Array, FloatArray, Inputs

FILES = (
    "parameters.npy",
    "forecast.xyz",
    "truth.xyz",
    "forecast.pdb",
    "truth.pdb",
    "samples.npy",
    "forecast.npy",
    "orientations.npy",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    arguments = _parse(argv)
    import_modules(arguments.modules)
    output: Path = arguments.output
    check_no_split(output)
    model = load(arguments.model)
    config = model.experiment.data
    steps = config.target_steps if arguments.num_steps is None else arguments.num_steps
    dims: int = model.spatial_dims
    description = _description(arguments.file)
    layout = model.layout or FeatureLayout.unnamed(model.num_features, dims)
    if description is not None:
        layout = description.layout
        model.check_layout(layout, arguments.file)
    box = _find_box(arguments.file, arguments.box, description, dims)
    if arguments.wrap and box is None:
        raise ValueError(f"--wrap: expected a periodic box, found none for {arguments.file}")
    task = read_forecast_task(arguments.file, config, layout, steps, arguments.start_frame, box)
    known = len(task.truth)
    spacing = arguments.frame_spacing
    if spacing is None:
        spacing = 1.0 if description is None else description.frame_spacing
    filters = _filters(arguments.filters, description, layout, config.subsample * spacing)
    forecast = partial(_forecast, model, task, steps, seed=arguments.seed, filters=filters)
    positions, parameters = (
        array[0] for array in forecast(arguments.feedback, recalibrated=arguments.recalibrated)
    )
    positions, turned = np.split(positions, [dims], axis=-1)
    results = {"sigma": model.sigma(parameters), **_components(turned)}  # [steps, N] each
    if known == steps:
        results["error"] = np.linalg.norm(positions - task.truth, axis=-1)
    if known == steps and task.orientations is not None:
        results["angle_error"] = angles_between(turned, task.orientations)

    origin = _origin(arguments.file, description)
    last_frame = _first_frame(origin) + task.last_frame
    times = (last_frame + config.subsample * np.arange(1, steps + 1)) * spacing
    are_molecules = "molecules" in origin
    names, features = _names_and_features(description, layout, task.past[-1], are_molecules)
    units = {
        key: unit
        for key in ("length_unit", "time_unit")
        if (unit := getattr(description, key, None))
    }
    comparison = None
    if known:
        log_probabilities = None
        if (arguments.feedback or model.feedback) != "sample":  # whose densities are no forecast's
            true_positions = task.truth.astype(np.float32)
            log_probabilities = model.distribution(parameters[:known]).log_prob(true_positions)
        comparison = _compare(task, positions[:known], log_probabilities)

    shown, true, boxes, true_boxes = _in_box(task, positions, arguments.wrap)
    with unfinished_folder(output) as new:
        write_xyz = partial(write_extended_xyz, names=names, units=units)
        write_xyz(new / "forecast.xyz", shown, times, {**features, **results}, boxes=boxes)
        save_array(new / "forecast.npy", positions)
        if model.orientation:
            save_array(new / "orientations.npy", turned)
        save_array(new / "parameters.npy", parameters)
        if count := arguments.num_samples:
            can_move = _can_move(model, count, arguments)
            samples, _ = forecast("sample", num_samples=count, recalibrated=can_move)
            save_array(new / "samples.npy", samples[:, 0])
        if known:
            seen = {**features, **_components(task.orientations)}
            write_xyz(new / "truth.xyz", true, times[:known], seen, boxes=true_boxes)
        if arguments.pdb or units.get("length_unit") == "angstrom":
            labels = (names, origin.get("atoms"))
            write_both = partial(_write_pdb_files, new, true, shown, times, labels, results)
            write_both(arguments.pdb, None if boxes is None or dims == 2 else boxes[0])
        put_in_place(new, FILES)
    print(f"Forecast of {steps} steps from frame {task.last_frame} on written to {output}")
    if comparison:
        unit = units.get("length_unit", "length units")
        print(f"The file goes on for {known} of these steps; errors in {unit}:\n")
        print(comparison)


def _components(orientations: Array | None) -> dict[str, Array]:
    """Of unit vectors [steps, N, D], as columns of an XYZ file; none of none."""
    if orientations is None:
        return {}
    each = np.moveaxis(orientations, -1, 0)
    return {f"{ORIENTATION}_{axis}": x for axis, x in zip(AXES, each, strict=False)}


def check_no_split(output: Path) -> None:
    """Refuse to write between the files of a data set, which could not be read any more."""
    folder = output.absolute()
    if folder.name in SPLITS and (folder.parent / DESCRIPTION_FILE).is_file():
        raise ValueError(
            f"{output}: expected a folder outside of the data set, found one of its splits"
        )


def _forecast(
    model: ForecastModel, task: ForecastTask, steps: int, feedback: str | None, **how: Any
) -> Any:
    """`model.rollout` of the past, its warnings told as sentences."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = model.rollout(_past(task), steps, feedback, **how)
    for warning in caught:
        print(f"Caution: {warning.message}.")
    return result


def _filters(
    names: Sequence[str],
    description: DatasetDescription | None,
    layout: FeatureLayout,
    spacing: float,
) -> ConservationFilters | tuple[()]:
    """Those that are asked for, with the law of the file's data set, if it has one."""
    if not names:
        return ()
    law = None if description is None else law_of(description, is_given=False)
    return ConservationFilters.of("+".join(names), layout, law, spacing)


def _past(task: ForecastTask) -> Inputs:
    """Inputs of one window."""
    boxes = None if task.boxes is None else task.boxes[None, : len(task.past)]
    return pack(task.past[None], None, boxes)


def _find_box(
    file: Path, given: Path | None, description: DatasetDescription | None, dims: int
) -> FloatArray | None:
    """The periodic box of a file, [D, D] or [frames, D, D]: as given, or as its data set has it."""
    if given is None and (description is None or not description.is_periodic):
        return None
    return read_box(given or box_file(file.absolute()), dims)


def _in_box(
    task: ForecastTask, positions: Array, wrap: bool
) -> tuple[Array, Array, FloatArray | None, FloatArray | None]:
    """Forecast and truth as they are written, and the boxes of their frames, if there are any."""
    if task.boxes is None:
        return positions, task.truth, None, None
    given, of_truth = np.split(task.boxes, [len(task.past)])
    boxes = np.broadcast_to(given[-1], (len(positions), *given.shape[1:]))  # it goes on in the last
    if not wrap:
        return positions, task.truth, boxes, of_truth
    forecast = PeriodicBox.of(boxes).wrap(positions.astype(np.float64))
    return forecast, PeriodicBox.of(of_truth).wrap(task.truth.astype(np.float64)), boxes, of_truth


def _can_move(model: ForecastModel, count: int, arguments: argparse.Namespace) -> bool:
    """Whether futures are recalibrated; says why not, if they should be."""
    is_possible = count > 1 and model.spread_factors is not None
    if arguments.recalibrated and not is_possible:
        reason = "one alone has no mean to move about" if count == 1 else "the model has no factors"
        print(f"Caution: futures are as drawn, not recalibrated: {reason}.")
    return arguments.recalibrated and is_possible


def _compare(task: ForecastTask, positions: Array, log_probabilities: Any | None) -> str:
    truth = task.truth[None]
    _, known, _, dims = truth.shape
    if log_probabilities is not None:
        log_probabilities = keras.ops.convert_to_numpy(log_probabilities)[None]
    baselines, _ = make_baselines(KnownData(known, dims), rivals_only=True)
    metrics = {"model": ForecastMetrics.from_arrays(truth, positions[None], log_probabilities)}
    for name, baseline in baselines.items():
        forecast, _ = baseline.rollout(_past(task), known)
        metrics[name] = ForecastMetrics.from_arrays(truth, forecast)
    verdict = Verdict.from_metrics(metrics, "model", list(baselines))
    return f"{overall_table(metrics)}\n\n{verdict.sentence}"


def _description(file: Path) -> DatasetDescription | None:
    """That of the data set in whose split the file lies, if it does."""
    # Not resolved: under DVC or git-annex a file lies elsewhere, under a name that says nothing.
    folder = file.absolute().parent.parent
    return read_description(folder) if (folder / DESCRIPTION_FILE).is_file() else None


def _origin(file: Path, description: DatasetDescription | None) -> dict[str, Any]:
    """What the data set says of where the file is from (see `FollowedSimulation`)."""
    path = file.absolute()
    match (description and description.preprocessing) or {}:
        case {"files": {**files}}:
            match files.get(f"{path.parent.name}/{path.name}"):
                case {**origin}:
                    return {str(key): value for key, value in origin.items()}
    return {}


def _first_frame(origin: dict[str, Any]) -> int:
    """Where in a longer simulation the file begins, in its frames."""
    match origin:
        case {"frames": [int(first), *_]}:
            return first
    return 0


def _names_and_features(
    description: DatasetDescription | None,
    layout: FeatureLayout,
    frame: Array,
    are_molecules: bool,
) -> tuple[list[str] | None, dict[str, Array]]:
    """The particles' names if scalars are nothing else; or features by name, [N] each."""
    columns = layout.given.columns(kind="scalar")
    features, labels = frame[:, columns], [layout.given.features[column] for column in columns]
    is_one_hot = np.isin(features, (0, 1)).all() and (features.sum(axis=1) == 1).all()
    kinds = features.argmax(axis=1) if features.size else []
    # Masses of one and charges of zero look like that, too: where a law is known, or all are alike.
    are_names = are_molecules or (
        description is not None and description.law is None and len(set(kinds)) > 1
    )
    if is_one_hot and are_names:
        return [re.sub(r"\s", "_", labels[index]) for index in kinds], {}
    return None, dict(zip(_identifiers(labels), features.T, strict=True))


def _identifiers(labels: Sequence[str]) -> list[str]:
    """Names of columns of an extended XYZ file, all different: some alphabets it does not know."""
    taken, found = {*TAKEN, "sigma", "error"}, []
    for number, label in enumerate(labels):
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
        plain = re.sub(r"\W", "_", plain)
        name = plain if re.match("[A-Za-z_]*[A-Za-z]", plain) else f"feature_{number}{plain}"
        while name in taken:
            name += "_"
        taken.add(name)
        found.append(name)
    return found


def _write_pdb_files(
    folder: Path,
    truth: Array,
    positions: Array,
    times: Array,
    labels: tuple[list[str] | None, list[str] | None],
    results: dict[str, Array],
    required: bool,
    box: FloatArray | None,
) -> None:
    """Both or none; say why none unless they are required."""
    names, atoms = labels
    names = names or ["X"] * positions.shape[1]
    name = "error" if "error" in results else "sigma"
    b_factors = results[name].mean(axis=0)  # [N]
    remark = f"B-FACTOR: MEAN {name.upper()} OVER ALL MODELS"
    try:
        if known := len(truth):
            write_pdb(folder / "truth.pdb", truth, names, times[:known], atoms=atoms, box=box)
        write_pdb(folder / "forecast.pdb", positions, names, times, b_factors, remark, atoms, box)
    except (ModuleNotFoundError, ValueError) as error:
        if required:
            raise
        (folder / "truth.pdb").unlink(missing_ok=True)
        print(f"No PDB files: {error}\n")


if __name__ == "__main__":
    run_script(main)
