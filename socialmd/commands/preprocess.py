"""Make a data set of molecular dynamics simulations of nanoparticles (thesis section 3).

    socialmd preprocess SIMULATION [SIMULATION ...] DATA --frame-spacing 1.0

A SIMULATION is a folder with one numbered series of PDB files, a PDB file of several models, or
TOPOLOGY:TRAJECTORY. Each molecule becomes the atom nearest to its centre, relative to the centre of
the nanoparticle. In two dimensions the files hold slices through the particle, turned into one
plane and flattened; in three, whole simulations. Draws the radial distribution of the molecules
and the first slice beside the data set.

Reading takes longest. Given `--shard I/N`, each another I, N processes on machines that share a
file system divide the simulations among them. They may run at the same time, in any order, and be
started again. What they have read lies in `.DATA.shards`, until one of them finds all simulations
there and writes the data set, which is that of one process, byte for byte.
"""

from __future__ import annotations

import argparse
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from socialmd.commands.command_line import (
    add_shard,
    make_parser,
    parse_first,
    positive_integer,
    run_script,
)


def _positive(text: str) -> float:
    if not 0 < (number := float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"expected a positive number, found {text}")
    return number


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("preprocess", __doc__)
    add = parser.add_argument
    add("simulations", nargs="+", metavar="SIMULATION", help="folder, file, TOPOLOGY:TRAJECTORY")
    add("output", type=Path, help="folder of the data set")
    add(
        "--frame-spacing",
        type=_positive,
        help="time between two frames of the simulations; default: what the files say, which must "
        "agree, but PDB and DCD files say nothing",
    )
    add("--time-unit", default="nanosecond", help="of times; default: %(default)s")
    add(
        "--ignore-times",
        action="store_true",
        help="do not believe the times in the files; frames are equally spaced in spite of them",
    )
    add("--dimensions", type=int, choices=(2, 3), default=2, help="default: %(default)s")
    add("--slices", type=positive_integer, default=10, help="2D: number; default: %(default)s")
    add(
        "--half-thickness",
        type=_positive,
        default=5.0,
        help="2D: largest distance from the plane at the first frame, angstrom; "
        "default: %(default)s",
    )
    add(
        "--names",
        nargs="+",
        default=["OQL", "ONC"],
        help="residue names of the molecules to keep, one feature each; default: OQL ONC",
    )
    add(
        "--select",
        help="molecules to keep, or some of their atoms, in the language of MDAnalysis; "
        "default: all of --names",
    )
    add(
        "--centre",
        default="name AU Au",
        help="atoms of the core; 'none' for a fluid, which has none; default: %(default)s",
    )
    add(
        "--strands",
        help="residues that molecules hang on, or the molecules themselves: where the strand of "
        "each stands on the core becomes a feature; default: none",
    )
    add(
        "--representative",
        choices=("first_frame", "every_frame"),
        default="first_frame",
        help="when the atom nearest to the centre of a molecule is chosen; default: %(default)s",
    )
    add(
        "--shares",
        dest="split",
        nargs=3,
        type=float,
        default=[70.0, 15.0, 15.0],
        metavar=("TRAIN", "VALIDATION", "TEST"),
        help="of the splits; whole simulations if there are several; default: 70 15 15",
    )
    add(
        "--window",
        type=positive_integer,
        default=150,
        help="frames in one window of the model, for a warning; default: %(default)s",
    )
    add("--start", type=int, default=0, help="first frame; default: %(default)s")
    add("--stop", type=positive_integer, help="frame before which to stop; default: none")
    add("--step", type=positive_integer, default=1, help="keep every so many; default: %(default)s")
    add("--processes", type=positive_integer, help="that read; default: one for each core")
    add_shard(parser, "read")
    arguments = parser.parse_args(argv)
    if arguments.start < 0:
        parser.error(f"argument --start: expected 0 or more, found {arguments.start}")
    if arguments.centre == "none":
        arguments.centre = None
        if arguments.dimensions == 2:
            parser.error("--centre none: expected with --dimensions 3; slices go through a centre")
    arguments.select = arguments.select or f"resname {' '.join(arguments.names)}"
    return arguments


parse_first(__name__, _parse, needs_tensorflow=False)  # what follows takes seconds to import

import numpy as np

from socialmd.claim import claim
from socialmd.data.dataset_description import SPLITS
from socialmd.data.dataset_writer import DatasetWriter
from socialmd.files import save_figure
from socialmd.molecular import (
    FollowedSimulation,
    MoleculeTrajectories,
    SimulationFiles,
    Slice,
    cut_slices,
    radial_distribution,
    slice_directions,
    split_frames,
    write_molecular_dataset,
)
from socialmd.molecular.frame_times import PICOSECONDS, read_frame_spacing
from socialmd.molecular.shard_folder import ShardFolder
from socialmd.molecular.slices import turn_into_plane
from socialmd.molecular.split_frames import Part
from socialmd.molecular.write_molecular_dataset import checked_names
from socialmd.plots import (
    new_figure,
    plot_flattened_slice,
    plot_radial_counts,
    plot_radial_means,
    plot_slice_edge_on,
    plot_slice_in_space,
)
from socialmd.types import Array


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    arguments = _parse(argv)
    output: Path = arguments.output
    # What cannot succeed fails before hours of reading.
    checked_names(arguments.names)
    sources = find_files(arguments.simulations)
    arguments.frame_spacing = find_spacing(sources, arguments)
    settings = make_settings(sources, arguments)
    writer = DatasetWriter(output, {"settings": settings})
    is_complete = writer.check()
    if not is_complete:
        with claim(output, wait=True):  # or fail before hours of reading
            pass
    folder = ShardFolder(output, settings, list(sources.values()))
    num_frames = [count_frames(files, arguments) for files in sources.values()]
    parts = split_frames(num_frames, arguments.split)
    warn_of_short_parts(parts, arguments.window)
    trajectories = {source: follow(files, arguments) for source, files in sources.items()}
    check_first_frames(trajectories, arguments)

    simulations = gather(trajectories, folder, arguments, is_complete)
    if not simulations and not writer.check():
        unread = f"{len(folder.missing())} of {len(sources)} simulations are still to be read"
        print(f"{output}: {unread}: other shards are not done yet")
        return
    if not simulations:
        print(f"{output}: already complete; without --shard it is compared with the simulations")
        folder.remove()
        return
    pieces = [piece for part in parts for piece in simulations[part.simulation].make_files(part)]
    is_new = write_molecular_dataset(
        output,
        pieces,
        frame_spacing=arguments.frame_spacing * arguments.step,
        settings=settings,
        simulations=[simulation.make_record() for simulation in simulations],
        names=arguments.names,
        radii=typical_radii(simulations),
        time_unit=arguments.time_unit,
    )
    print(f"\n{describe_split(parts, arguments.simulations)}")
    print(f"{output}: {'wrote' if is_new else 'already complete:'} {len(pieces)} files")
    if arguments.centre is not None:
        draw_radial(output, simulations[0], arguments)
    if arguments.dimensions == 2:
        draw_slice(output, simulations[0], arguments.half_thickness)
    folder.remove()


# === Reading and cutting ===


def make_settings(
    sources: Mapping[str, SimulationFiles], arguments: argparse.Namespace
) -> dict[str, Any]:
    """What `dataset.json` says of the command line."""
    keys = ["dimensions", "select", "centre", "names", "representative", "split"]
    keys += ["start", "stop", "step", "frame_spacing", "time_unit"]
    if arguments.dimensions == 2:
        keys += ["slices", "half_thickness"]
    if arguments.strands is not None:
        keys.append("strands")
    if arguments.ignore_times:
        keys.append("ignore_times")
    names = [without_folders(source, files) for source, files in sources.items()]
    return {"sources": names, **{key: getattr(arguments, key) for key in keys}}


def without_folders(source: str, files: SimulationFiles) -> str:
    """File names only: where files lie on one machine says nothing to others."""
    if Path(source).exists() or files.topology is None:
        return Path(os.path.abspath(source)).name
    return f"{files.topology.name}:{files.paths[0].name}"


def find_files(sources: Sequence[str]) -> dict[str, SimulationFiles]:
    """The files of each simulation, all of which are different."""
    found = {source: SimulationFiles.find(source) for source in sources}
    different = {tuple(path.resolve() for path in files.paths) for files in found.values()}
    if len(different) < len(sources):
        raise ValueError(f"expected different simulations, found one twice: {' '.join(sources)}")
    return found


def find_spacing(sources: Mapping[str, SimulationFiles], arguments: argparse.Namespace) -> float:
    """Time between two frames, as the files say or, if they do not, the command line."""
    given, unit = arguments.frame_spacing, arguments.time_unit
    said: dict[str, float] = {}
    with_times = {} if arguments.ignore_times else sources
    for source, files in with_times.items():
        if files.topology is None:  # PDB files have none, and large ones take long to open
            continue
        with closing(files.open()) as frames:
            indices = range(len(frames))[arguments.start : arguments.stop]
            if (picoseconds := read_frame_spacing(frames, indices)) is not None:
                if unit not in PICOSECONDS:
                    raise ValueError(
                        f"--time-unit: expected one of {', '.join(PICOSECONDS)}, as {source} says "
                        f"when frames were written, found {unit!r}"
                    )
                said[source] = picoseconds / PICOSECONDS[unit]
    if given is None and not said:
        raise ValueError(
            "--frame-spacing: expected the time between two frames, which the files do not say"
        )
    expected = given or next(iter(said.values()))
    whose = "as --frame-spacing says" if given else "as in others"
    for source, found in said.items():
        if not math.isclose(found, expected, rel_tol=2e-3):
            raise ValueError(
                f"{source}: expected frames {expected:g} {unit}s apart, {whose}, found "
                f"{found:g}; give --ignore-times if the times in the file are wrong"
            )
    return float(expected if given else f"{expected:.6g}")


def count_frames(files: SimulationFiles, arguments: argparse.Namespace) -> int:
    """How many frames of a simulation will be read."""
    with closing(files.open()) as frames:
        return len(range(len(frames))[arguments.start : arguments.stop : arguments.step])


def follow(files: SimulationFiles, arguments: argparse.Namespace) -> MoleculeTrajectories:
    """The molecules of one simulation, not read yet."""
    return MoleculeTrajectories(
        files,
        selection=arguments.select,
        centre=arguments.centre,
        names=arguments.names,
        strands=arguments.strands,
        representative=arguments.representative,
        ignore_times=arguments.ignore_times,
        num_workers=arguments.processes,
    )


def check_first_frames(
    trajectories: Mapping[str, MoleculeTrajectories], arguments: argparse.Namespace
) -> None:
    """Read the first frame of each simulation, which decides of which molecules its slices are.

    None may be impossible, each slice needs two molecules, and each name occurs somewhere.
    """
    start = arguments.start
    with warnings.catch_warnings(action="ignore"):  # they come when the whole simulation is read
        runs = [molecules.run(start, start + 1) for molecules in trajectories.values()]
    for source, run in zip(trajectories, runs, strict=True):
        try:
            make_slices(run.results.positions, arguments)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None
    found = {name for run in runs for name in run.results.names}
    if missing := [name for name in arguments.names if name not in found]:
        raise ValueError(
            f"--names: expected molecules of each name in at least one simulation, found none of "
            f"{', '.join(missing)}; {arguments.select!r} finds {', '.join(sorted(found))}"
        )


def gather(
    trajectories: Mapping[str, MoleculeTrajectories],
    folder: ShardFolder,
    arguments: argparse.Namespace,
    is_complete: bool,
) -> list[FollowedSimulation]:
    """What shards have read. Without any, the rest is read now; with them, the part of this one.

    There is none then while others are reading, or when they have written the data set.
    """
    if arguments.shard and not is_complete:
        folder.claim()
        missing = folder.missing()
        for number, (source, molecules) in enumerate(trajectories.items()):
            if number in missing and arguments.shard.takes(number):
                folder.save(number, read_simulation(source, molecules, arguments))
    if arguments.shard and folder.missing():
        return []
    simulations = []
    for number, (source, molecules) in enumerate(trajectories.items()):
        if (simulation := folder.load(number)) is not None:
            simulation = cut(simulation, arguments)
        elif arguments.shard:
            return []  # another one has written the data set and is removing the folder
        else:
            simulation = read_simulation(source, molecules, arguments)
        simulations.append(simulation)
    return simulations


def read_simulation(
    source: str, molecules: MoleculeTrajectories, arguments: argparse.Namespace
) -> FollowedSimulation:
    """Follow the molecules of one simulation; in two dimensions, cut slices."""
    results = molecules.run(arguments.start, arguments.stop, arguments.step, verbose=True).results
    name = without_folders(source, molecules.files)
    simulation = FollowedSimulation(name, **results._asdict())
    simulation = cut(simulation, arguments)
    print(f"\n{source}: {describe(simulation)}", flush=True)
    return simulation


def cut(simulation: FollowedSimulation, arguments: argparse.Namespace) -> FollowedSimulation:
    """The simulation with its slices, which there are in two dimensions."""
    return simulation._replace(slices=make_slices(simulation.positions, arguments))


def make_slices(positions: Array, arguments: argparse.Namespace) -> list[Slice]:
    """Slices of a simulation; none in three dimensions."""
    if arguments.dimensions == 3:
        return []
    return cut_slices(positions, slice_directions(arguments.slices), arguments.half_thickness)


def typical_radii(simulations: Sequence[FollowedSimulation]) -> dict[str, float]:
    """Median of the radii of molecules of each name: one that walls have cut is no matter."""
    radii: dict[str, list[float]] = {}
    for simulation in simulations:
        for name, radius in zip(simulation.names, simulation.radii, strict=True):
            radii.setdefault(name, []).append(float(radius))
    return {name: float(np.median(radii[name])) for name in sorted(radii)}


# === What is reported ===


def describe(simulation: FollowedSimulation) -> str:
    """Frames, molecules by name, and what the slices become, in lines of text."""
    counts = simulation.count_molecules().items()
    molecules = ", ".join(f"{count} {name}" for name, count in counts)
    lines = [f"{len(simulation.frames)} frames, {len(simulation.names)} molecules ({molecules})"]
    if simulation.slices:
        lines += [
            "  slice  molecules  normal             distance from the plane, angstrom: first, last",
            "                                       root mean square         largest",
        ]
    for index, piece in enumerate(simulation.slices):
        normal = " ".join(f"{component:+.2f}" for component in piece.normal)
        (rms, rms_last), (largest, largest_last) = (
            values[[0, -1]] for values in (piece.rms_distance, piece.largest_distance)
        )
        lines.append(
            f"  {index:5}  {len(piece.molecules):9}  {normal}"
            f"  {rms:7.1f} {rms_last:7.1f}  {largest:14.1f} {largest_last:7.1f}"
        )
    return "\n".join(lines)


def describe_split(parts: Sequence[Part], sources: Sequence[str]) -> str:
    """Which frames of which simulation each split has, in lines of text."""
    frames: dict[str, list[str]] = {split: [] for split in SPLITS}
    for part in parts:
        text = f"{sources[part.simulation]} frames {part.start} to {part.stop - 1}"
        frames[part.split].append(text)
    return "\n".join(f"{split}: {'; '.join(frames[split]) or 'nothing'}" for split in SPLITS)


def warn_of_short_parts(parts: Sequence[Part], window: int) -> None:
    """Say which parts no window of a model fits into, and what can be done."""
    for split in SPLITS:
        shortest = min((p.stop - p.start for p in parts if p.split == split), default=window)
        if shortest < window:
            print(
                f"WARNING: a part of {split} has {shortest} frames, but one window takes {window} "
                "(data.input_steps + data.target_steps of the configuration). Give longer or "
                "several simulations (a single one is cut in time), others to --shares, or "
                "configure shorter windows."
            )


# === Pictures ===


def draw_radial(
    output: Path, simulation: FollowedSimulation, arguments: argparse.Namespace
) -> None:
    """Draw how far the molecules of a simulation are from the centre, beside the data set."""
    radial = radial_distribution(simulation.positions, simulation.names)
    frames = arguments.start + np.arange(len(simulation.frames)) * arguments.step
    times = frames * arguments.frame_spacing
    first, last = (
        {name: counts[frame] for name, counts in radial.counts.items()} for frame in (0, -1)
    )
    figure, axes = new_figure(12, 4.6, columns=2)
    figure.suptitle(f"Radial distribution of the molecules of {simulation.source}")
    plot_radial_means(axes[0], times, radial.mean, radial.spread, arguments.time_unit)
    plot_radial_counts(axes[1], radial.bin_edges, first, last)
    _save(output, "radial", figure)


def draw_slice(output: Path, simulation: FollowedSimulation, half_thickness: float) -> None:
    """Draw how the first slice of a simulation is made, beside the data set."""
    piece, positions = simulation.slices[0], simulation.positions[0]
    chosen = np.isin(np.arange(len(positions)), piece.molecules)
    figure, axes = new_figure(15, 6, columns=3)
    figure.suptitle(f"Making a slice of {simulation.source}, first frame")
    plot_slice_in_space(axes[0], positions, chosen, simulation.names, piece.normal)
    turned = turn_into_plane(positions, piece.normal)
    plot_slice_edge_on(axes[1], turned, chosen, simulation.names, half_thickness)
    plot_flattened_slice(axes[2], turned, chosen, simulation.names)
    handles = axes[1].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(handles[0]))
    _save(output, "slice", figure)


def _save(output: Path, what: str, figure: Any) -> None:
    path = output.absolute().with_name(f"{output.absolute().name}.{what}.png")
    try:
        save_figure(figure, path)
        print(f"Picture of the first simulation: {path}")
    except OSError as error:  # the data set is complete without it
        print(f"No picture of the first simulation: {error}")


if __name__ == "__main__":
    run_script(main)
