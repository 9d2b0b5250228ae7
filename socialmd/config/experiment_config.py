"""The whole configuration of an experiment: one table beside the other."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ValidationError, field_validator, model_validator

from socialmd.config.data_config import DataConfig
from socialmd.config.model_config import (
    WIDEST_GRID,
    InteractionModelConfig,
    ModelConfig,
    SequenceModelConfig,
    used_grid_sizes,
)
from socialmd.config.search_config import SearchConfig, set_value
from socialmd.config.section import ConfigSection
from socialmd.config.simulation_config import SimulationConfig
from socialmd.config.system_config import ManyBodySystem
from socialmd.config.training_config import PhaseConfig, TrainingConfig

__all__ = ["ExperimentConfig"]

REFERENCE = "social_lstm"  # the kind of a model that does not say which
AnyModelConfig = ModelConfig | SequenceModelConfig | InteractionModelConfig
MODELS: dict[str, type[ConfigSection]] = {
    REFERENCE: ModelConfig,
    "sequence_lstm": SequenceModelConfig,
    "interaction_lstm": InteractionModelConfig,
}


class ExperimentConfig(ConfigSection):
    """Everything that defines an experiment; one attribute per table of the file.

    Args:
        system, simulation, data, model, training: the tables; each has defaults.
        search: what a search varies; absent where none is meant.

    Raises:
        ValueError: a table is not valid, or does not go with the others; or the search varies a
            key that does not exist, or tries a value that it cannot have.

    Example:
        >>> ExperimentConfig(model={"prediction": "acceleration"}).model.units
        128
    """

    system: ManyBodySystem = ManyBodySystem()
    simulation: SimulationConfig = SimulationConfig()
    data: DataConfig = DataConfig()
    model: AnyModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    search: SearchConfig | None = None

    @field_validator("model", mode="before")
    @classmethod
    def _of_its_kind(cls, model: Any) -> Any:
        """`[model]` as what its key `kind` says it is."""
        kind = getattr(model, "kind", REFERENCE)
        if isinstance(model, dict):
            kind = model.get("kind", REFERENCE)
        if kind not in list(MODELS):
            raise ValueError(f"kind: expected one of {', '.join(MODELS)}, found {kind!r}")
        return MODELS[kind].model_validate(model)

    @model_validator(mode="after")
    def _check_phases(self) -> Self:
        for number, phase in enumerate(self.training.phases):
            name = f"training.phases.{number}"
            least = 3 if phase.feedback == "truth" else self.data.input_steps + 1
            if phase.window and not least <= phase.window <= self.data.window:
                raise ValueError(
                    f"{name}.window: expected {least} to {self.data.window}, found {phase.window}"
                )
            _check_samples(name, phase, self.model)
            if phase.substeps and not hasattr(self.model, "substeps"):
                raise ValueError(
                    f"{name}.substeps: expected none for model.kind = {self.model.kind}, "
                    f"found {phase.substeps}"
                )
        return self

    @model_validator(mode="after")
    def _check_field(self) -> Self:
        if getattr(self.model, "field", None) is not None and self.data.num_rotations:
            raise ValueError(
                "data.num_rotations: expected 0 with model.field, which is where it is, found "
                f"{self.data.num_rotations}"
            )
        return self

    @model_validator(mode="after")
    def _check_search(self) -> Self:
        for name, entry in self.search.entries.items() if self.search else ():
            table, key = name.split(".", 1)
            for example in entry.examples:
                for fault in _faults(getattr(self, table), key, example):
                    raise ValueError(f"search.{name}: {fault}")
        return self

    def check_simulation(self) -> None:
        """Refuse to simulate what is too short, or much smaller than the model's grids.

        Not part of the validation, because trajectories may come from elsewhere.
        """
        widest = max(used_grid_sizes(self.model), default=0.0)
        if widest > WIDEST_GRID * self.system.box_size:
            raise ValueError(
                "model.grid_sizes: expected sides of at most four times system.box_size = "
                f"{self.system.box_size}, found {widest}; its cells would be mostly empty"
            )
        frames = self.simulation.num_frames
        if frames < self.data.minimum_frames:
            raise ValueError(
                f"simulation.num_steps: one window of {self.data.window} frames, every "
                f"{self.data.subsample}th kept, needs {self.data.minimum_frames} frames, "
                f"found {frames}"
            )


def _check_samples(name: str, phase: PhaseConfig, model: AnyModelConfig) -> None:
    """Refuse a phase whose loss and feedback do not go together, or are not for this model."""
    of_model = getattr(model, "feedback", "mean")
    feedback = phase.feedback or of_model
    if phase.loss == "energy_score" and feedback != "sample":
        raise ValueError(
            f'{name}.loss: expected feedback = "sample" beside energy_score, found {feedback!r}'
        )
    if model.kind == "interaction_lstm":
        if feedback == "sample" and phase.loss != "energy_score":
            raise ValueError(
                f'{name}.loss: expected energy_score beside feedback = "sample", found '
                f"{phase.loss!r}"
            )
    elif feedback == "sample" and of_model != "sample":
        raise ValueError(
            f'{name}.feedback: expected model.feedback = "sample" beside it, found {of_model!r}'
        )


def _faults(section: ConfigSection, key: str, value: Any) -> list[str]:
    """What a key of a section cannot be; whether it goes with others is seen in each trial."""
    values = section.model_dump(exclude={"kind"})
    try:
        set_value(values, key, value)
        section.model_validate(values)
    except LookupError as error:
        return [f"unknown key, expected one of {error}"]
    except ValidationError as error:
        faults = {".".join(map(str, fault["loc"])): fault["msg"] for fault in error.errors()}
        return [message for place, message in faults.items() if f"{place}.".startswith(f"{key}.")]
    return []
