"""Simulation: gravity and Coulomb forces, velocity Verlet, random systems, whole data sets.

Beside them a random walk on a circle, whose exact predictive density is known.
"""

from socialmd.config import ManyBodySystem as ManyBodySystem
from socialmd.simulation.circle_walk import CircleWalk as CircleWalk
from socialmd.simulation.forces import PairLaw as PairLaw
from socialmd.simulation.forces import accelerations as accelerations
from socialmd.simulation.forces import angular_momentum as angular_momentum
from socialmd.simulation.forces import electric_field as electric_field
from socialmd.simulation.forces import kinetic_energy as kinetic_energy
from socialmd.simulation.forces import law_of as law_of
from socialmd.simulation.forces import layout_of_law as layout_of_law
from socialmd.simulation.forces import momentum as momentum
from socialmd.simulation.forces import pair_couplings as pair_couplings
from socialmd.simulation.forces import pair_law as pair_law
from socialmd.simulation.forces import potential_energy as potential_energy
from socialmd.simulation.forces import total_energy as total_energy
from socialmd.simulation.forces import turning_forces as turning_forces
from socialmd.simulation.initial_states import InitialState as InitialState
from socialmd.simulation.initial_states import Rotors as Rotors
from socialmd.simulation.initial_states import draw_anchors as draw_anchors
from socialmd.simulation.initial_states import draw_fixed_charges as draw_fixed_charges
from socialmd.simulation.initial_states import draw_initial_state as draw_initial_state
from socialmd.simulation.initial_states import draw_rotors as draw_rotors
from socialmd.simulation.initial_states import draw_springs as draw_springs
from socialmd.simulation.integrate import IntegratedMotion as IntegratedMotion
from socialmd.simulation.integrate import integrate as integrate
from socialmd.simulation.integrate_rotors import RotorMotion as RotorMotion
from socialmd.simulation.integrate_rotors import integrate_rotors as integrate_rotors
from socialmd.simulation.integrate_strands import integrate_strands as integrate_strands
from socialmd.simulation.multipoles import Multipoles as Multipoles
from socialmd.simulation.multipoles import coulomb_field as coulomb_field
from socialmd.simulation.multipoles import coulomb_potential as coulomb_potential
from socialmd.simulation.simulate_systems import simulate as simulate
from socialmd.simulation.write_simulations import write_dataset as write_dataset

__all__ = [
    "CircleWalk",
    "InitialState",
    "IntegratedMotion",
    "ManyBodySystem",
    "Multipoles",
    "PairLaw",
    "RotorMotion",
    "Rotors",
    "accelerations",
    "angular_momentum",
    "coulomb_field",
    "coulomb_potential",
    "draw_anchors",
    "draw_fixed_charges",
    "draw_initial_state",
    "draw_rotors",
    "draw_springs",
    "electric_field",
    "integrate",
    "integrate_rotors",
    "integrate_strands",
    "kinetic_energy",
    "law_of",
    "layout_of_law",
    "momentum",
    "pair_couplings",
    "pair_law",
    "potential_energy",
    "simulate",
    "total_energy",
    "turning_forces",
    "write_dataset",
]
