"""A Lennard-Jones fluid of argon and xenon in a periodic box, simulated with OpenMM (extra `md`).

Files such as users of molecular dynamics arrive with: a dense liquid, where every particle is
pushed about by its neighbours and nothing else.
"""

from socialmd.simulation.fluid.lennard_jones_fluid import LennardJonesFluid as LennardJonesFluid
from socialmd.simulation.fluid.simulate_fluid import FluidSchedule as FluidSchedule
from socialmd.simulation.fluid.simulate_fluid import make_system as make_system
from socialmd.simulation.fluid.write_fluid import write_fluid as write_fluid

__all__ = ["FluidSchedule", "LennardJonesFluid", "make_system", "write_fluid"]
