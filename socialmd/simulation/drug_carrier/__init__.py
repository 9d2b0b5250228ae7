"""A coarse-grained nanoparticle that carries drugs, simulated with OpenMM (extra `md`).

It makes files such as users of molecular dynamics arrive with, for the thesis' first experiment
(section 3): a demonstration system, not a model of a particular drug.
"""

from socialmd.simulation.drug_carrier.beads import Beads as Beads
from socialmd.simulation.drug_carrier.beads import place_beads as place_beads
from socialmd.simulation.drug_carrier.drug_carrier import DrugCarrier as DrugCarrier
from socialmd.simulation.drug_carrier.force_field import make_system as make_system
from socialmd.simulation.drug_carrier.run import Schedule as Schedule
from socialmd.simulation.drug_carrier.write_simulation import write_simulation as write_simulation

__all__ = ["Beads", "DrugCarrier", "Schedule", "make_system", "place_beads", "write_simulation"]
