"""Losses: of densities, of points and of futures."""

from socialmd.losses.energy_score import EnergyScore as EnergyScore
from socialmd.losses.negative_log_likelihood import NegativeLogLikelihood as NegativeLogLikelihood
from socialmd.losses.particle_loss import ParticleLoss as ParticleLoss
from socialmd.losses.student_t_error import StudentTError as StudentTError

__all__ = ["EnergyScore", "NegativeLogLikelihood", "ParticleLoss", "StudentTError"]
