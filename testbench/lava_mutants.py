"""Breaks the neuromorphic models and the mapper on purpose; see `source_mutants`.

    python testbench/lava_mutants.py    (make lava-mutants)

Every mutant meets the tests of its own part, those on random networks, so that no copy of the
tree has to train one. Writes build/lava-mutants.json; status 1 if one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, main

LAVA = (
    Mutant("lava_backend/lava_network.py", "2 * weights", "1 * weights"),
    Mutant("lava_backend/lava_network.py", "shift - 1", "-1"),
    Mutant(
        "lava_backend/population/models.py",
        "to_state(self.accumulator,",
        "to_state(self.accumulator - 1,",
    ),
    Mutant(
        "lava_backend/population/models.py", "accumulator - self.drive", "accumulator + self.drive"
    ),
    Mutant("lava_backend/population/models.py", "= self.bias.copy()", "= 0 * self.bias"),
    Mutant("lava_backend/population/models.py", "self.state = self.equilibrium.copy()", "pass"),
    Mutant(
        "lava_backend/phase_controller/models.py",
        "settled |= ~active",
        "settled |= self._activity == 0",
    ),
    Mutant(
        "lava_backend/phase_controller/models.py",
        "counters[1] += self._activity",
        "counters[1] += 1",
    ),
    Mutant(
        "lava_backend/phase_controller/models.py", "counters[0] += ~settled", "counters[0] += 1"
    ),
    Mutant(
        "lava_backend/phase_controller/models.py",
        "if starts else nothing",
        "if command < 0 else nothing",
    ),
)
NENGO = (
    Mutant("lava_backend/nengo_neurons.py", "half = rounding_half(self.fraction_bits)", "half = 0"),
    Mutant("lava_backend/nengo_neurons.py", "(tick - 1) % self.colours", "tick % self.colours"),
    Mutant("lava_backend/nengo_neurons.py", '] - state["drive"]', '] + state["drive"]'),
    Mutant(
        "lava_backend/nengo_network.py",
        "p.matrix.T.astype(np.float64) * (1 << p.shift)",
        "p.matrix.T.astype(np.float64)",
    ),
    Mutant("lava_backend/nengo_run.py", ".argmax()) + 1", ".argmax())"),
)
SPIKING = (
    Mutant("lava_backend/nengo_loihi_run.py", "[weight, -weight]", "[weight, weight]"),
    Mutant("lava_backend/nengo_loihi_run.py", "offset - population.state_max", "offset"),
    Mutant("lava_backend/nengo_loihi_run.py", "float(np.sqrt(growth))", "growth"),
)
NIR = (
    Mutant(
        "lava_backend/nir_nodes.py",
        "(projection.matrix.T)",
        "(projection.matrix.T * (not projection.backward))",
    ),
    Mutant("lava_backend/nir_nodes.py", "np.flip(coupling.weight, places)", "coupling.weight"),
    Mutant("lava_backend/nir_nodes.py", "np.flip(kernel, tuple(range(2, kernel.ndim)))", "kernel"),
    Mutant(
        "lava_backend/nir_export.py",
        "network.biases[population.name]",
        "0 * network.biases[population.name]",
    ),
)
MAPPER = (
    Mutant("lava_backend/mapper/partition.py", "np.minimum(dense, sparse)", "dense"),
    Mutant("lava_backend/mapper/partition.py", "weight_bits + chip.counts[\"index_bits\"]", "weight_bits"),
    Mutant("lava_backend/mapper/partition.py", "(block * synapse_bits + header)", "(block * synapse_bits)"),
    Mutant("lava_backend/mapper/partition.py", "np.count_nonzero(source.lists(edges), axis=0)", "np.size(source.lists(edges), axis=0)"),
    Mutant("lava_backend/mapper/sharing.py", "(distance.astype(np.uint64) << np.uint64(32)) ^", ""),
    Mutant("lava_backend/mapper/sharing.py", "place % self.axons_per_list == 0", "place == 0"),
    Mutant("lava_backend/mapper/mapping.py", "needed = message_bits(population)", "needed = population.state_bits"),
    Mutant("lava_backend/mapper/mapping.py", "if over > 1 and", "if False and"),
    Mutant("lava_backend/mapper/mapping.py", "* rate[entry.source][:, None]", "* 1.0"),
    Mutant("lava_backend/mapper/place.py", "at[a], at[b] = at[b], at[a]", "pass"),
    Mutant("lava_backend/mapper/estimate.py", "activity.ticks + 1", "activity.ticks"),
    Mutant("lava_backend/mapper/chip.py", "not 0 < low", "not 0 <= low"),
)  # fmt: skip

NENGO_TESTS = "testbench/lava/test_nengo.py"
SHARED_TESTS = "testbench/lava/test_shared_weights.py"
TRIALS = [
    *((mutant, ["testbench/lava/test_lava.py::test_random_networks"]) for mutant in LAVA),
    *((mutant, [f"{NENGO_TESTS}::test_random_networks"]) for mutant in NENGO),
    *((mutant, [NENGO_TESTS, "-k", "follows_a_pair"]) for mutant in SPIKING),
    *((mutant, [NENGO_TESTS, SHARED_TESTS, "-k", "nir_keeps or in_nir"]) for mutant in NIR),
    *((mutant, ["testbench/lava/test_mapper.py", SHARED_TESTS]) for mutant in MAPPER),
]

if __name__ == "__main__":
    main("lava-mutants", TRIALS)
