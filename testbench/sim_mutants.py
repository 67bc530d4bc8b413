"""Breaks the simulator and the core vocabulary on purpose; see `source_mutants`.

    python testbench/sim_mutants.py     (make sim-mutants)

Killed by a test of testbench/core or testbench/sim. Writes build/sim-mutants.json; status 1 if
one survives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from testbench.source_mutants import Mutant, main

MUTANTS = (
    Mutant("toreq_hw/network/fixed_point.py", "return (1 << fraction_bits) >> 1", "return 0"),
    Mutant("toreq_hw/contract/arithmetic.py", "np.clip(rounded, state_min", "np.clip(rounded, 0"),
    Mutant("toreq_hw/network/fixed_point.py", "<< fraction_bits) >> beta_shift", "<< fraction_bits) // (1 + beta_shift)"),
    Mutant("toreq_hw/network/projection.py", "return added.astype(np.int64) << self.shift", "return added.astype(np.int64)"),
    Mutant("sim/reference.py", "> start.threshold", ">= start.threshold"),
    Mutant("sim/dense.py", "total += start.drive[active]", "total -= start.drive[active]"),
    Mutant("sim/exact_product.py", "FLOAT32_EXACT = 1 << 24", "FLOAT32_EXACT = 1 << 26"),
    Mutant("sim/event_kernel.py", "np.int32(sums[i] + half)", "np.int32(sums[i])"),
    Mutant("sim/event_kernel.py", "if abs(delta) > threshold", "if abs(delta) >= threshold"),
    Mutant("sim/event_kernel.py", "copy(accumulator, plan.bias)", "copy(accumulator, accumulator)"),
    Mutant("sim/delivery_kernel.py", "        scratch.version[target] += 1\n", ""),
    Mutant("sim/delivery_kernel.py", "        partial[:] = 0\n", ""),
    Mutant("sim/delivery_kernel.py", "weights[back + first :]", "weights[back:]"),
    Mutant("sim/plan.py", "return SUM_LIMIT //", "return 2 * SUM_LIMIT //"),
    Mutant("toreq_hw/network/projection.py", "if not coupling.is_self_coupling:", "if True:"),
    Mutant("toreq_hw/network/couplings/dense.py", "len(weight) - self.is_self_coupling", "len(weight)"),
    Mutant("toreq_hw/contract/energy.py", "(2 * rounding_half(fraction_bits) + 1)", "(2 * rounding_half(fraction_bits) - 1)"),
    Mutant("toreq_hw/contract/energy.py", "times = 1 if", "times = 2 if"),
    Mutant("sim/learning/generator.py", "np.uint32(17)", "np.uint32(16)"),
    Mutant("toreq_hw/contract/learning.py", "WEYL_STEP = 0x9E37", "WEYL_STEP = 0x9E35"),
    Mutant("sim/learning/synapses.py", "(wide >= theta)", "(wide > theta)"),
    Mutant("sim/learning/update_kernel.py", "begin = row + 1 if self_coupling else 0", "begin = 0"),
    Mutant("sim/learning/kernel.py", "nudged_phase(plan, positive, 1,", "nudged_phase(plan, positive, -1,"),
    Mutant("sim/learning/kernel.py", "                continue\n        nudged_phase", "                pass\n        nudged_phase"),
    Mutant("sim/learning/sample_kernel.py", "sent[k] = sign * sums.push[k]", "sent[k] = sums.push[k]"),
    Mutant("sim/learning/sample_kernel.py", "if z[k] > z[best]", "if z[k] >= z[best]"),
    Mutant("sim/learning/sample_kernel.py", "(wanted - sums.shares[k]) >> output.beta_shift", "(wanted - sums.shares[k]) // (1 + output.beta_shift)"),
    Mutant("toreq_hw/contract/budget_kernel.py", "if left > 0 and", "if"),
    Mutant("toreq_hw/contract/budget_kernel.py", "table[budget - 1] - 1", "table[budget - 1] + 1"),
    Mutant("toreq_hw/contract/budget.py", "(np.cumsum(steps, axis=1) <= left[:, None])", "(np.cumsum(steps, axis=1) > 0)"),
    Mutant("toreq_hw/contract/readout.py", "errors >> np.int16(network.beta_shift)", "-(-errors >> np.int16(network.beta_shift))"),
    Mutant("toreq_hw/network/budget_table.py", "rounding=ROUND_CEILING", "rounding=\"ROUND_FLOOR\""),
    Mutant("toreq_hw/network/budget_table.py", "if table[k] <= table[k - 1]:", "if table[k] < table[k - 1]:"),
    Mutant("toreq_hw/network/feedback.py", "(coupling.pre, -coupling.feedback_shift)", "(coupling.pre, coupling.feedback_shift)"),
    Mutant("toreq_hw/network/feedback.py", "if coupling.feedback_shift != needed:", "if False:"),
    Mutant("toreq_hw/contract/energy.py", "largest - network.depths[name] - bits", "largest - bits"),
    Mutant("sim/recorder.py", "events=events + sent", "events=events"),
    Mutant("sim/learning/update_kernel.py", "if s_positive == 0 and s_negative == 0:", "if s_positive == 0:"),
    Mutant("sim/learning/latent_kernel.py", "np.int32(word >> np.int32(np.int32(16) - shift))", "np.int32(0)"),
    Mutant("sim/learning/update_kernel.py", "plan.state_max[population] * moved[i]", "moved[i]"),
    Mutant("sim/learning/trainer.py", "self.random_state = np.uint32(state)", "pass"),
    Mutant("toreq_hw/network/couplings/dense.py", "= upper + upper.T", "= upper"),
    Mutant("toreq_hw/network/couplings/coupling.py", "matrix[post, pre] = matrix[pre, post]", "pass"),
    Mutant("sim/baselines/float_eqprop.py", "slope += pre.T @", "slope += 0 * pre.T @"),
    Mutant("sim/baselines/real_network.py", "+= slope.T if p.backward", "+= 0 * slope.T if p.backward"),
    Mutant("sim/baselines/real_network.py", "return float(2.0 ** (", "return float(1.0 ** ("),
    Mutant("sim/baselines/real_network.py", "settled[rows[quiet]] = True", "settled[:] = True"),
    Mutant("sim/learning/contrast.py", "+= sign * (", "+= ("),
    Mutant("sim/baselines/float_eqprop.py", "scale = -1 / (2 * beta", "scale = -1 / (beta"),
    Mutant("toreq_hw/network/bounds.py", "        high += drive\n", ""),
    Mutant("toreq_hw/network/schedule.py", "parity[first] = 0", "parity[first] = 1"),
    Mutant("toreq_hw/network/schedule.py", "missing[part.population].difference_update(part.neurons)", "missing[part.population].clear()"),
    Mutant("toreq_hw/network/sweep.py", "found[part.indices] = tick", "found[part.indices] = 0"),
    Mutant("toreq_hw/network/sweep.py", "return not any(_joins(", "return True or any(_joined("),
    Mutant("toreq_hw/network/split.py", "(m < k or (m == k and not weight.any()))", "(m < k or m == k)"),
    Mutant("toreq_hw/network/split.py", "whole[..., part.indices] = states[name]", "whole[..., : len(part)] = states[name]"),
    Mutant("toreq_hw/network/neuron_set.py", "np.diff(self.indices) > 1", "np.diff(self.indices) > 2"),
    Mutant("toreq_hw/data/dataset.py", "population.state_max + pixel_max", "population.state_max"),
)  # fmt: skip

RUNS = (
    Mutant("sim/learning/latent_kernel.py", "np.int32(step << dropped)", "step"),
    Mutant("sim/learning/latent_kernel.py", "np.int32(LATENT_LIMIT) >> dropped) << dropped)", "np.int32(LATENT_LIMIT)))"),
    Mutant("sim/learning/shared_kernel.py", "if plus == 0 and minus == 0:", "if plus == 0:"),
    Mutant("sim/learning/shared_kernel.py", "moved[target + length] != moved[target]", "delta[target] != 0"),
    Mutant("sim/learning/shared_kernel.py", "np.int32(-minus)", "minus"),
    Mutant("sim/learning/shared_kernel.py", "draws[shared.run_row[run]] = True", "draws[:] = True"),
    Mutant("sim/learning/latent_kernel.py", "gradient[j], random_word, weyl[j]", "gradient[j], random_word, weyl[0]"),
    Mutant("sim/learning/shared.py", "np.full(len(parts), lowered)", "np.full(len(parts), False)"),
    Mutant("sim/delivery_kernel.py", "walked += 16 * (stop - start)", "walked += stop - start"),
    Mutant("sim/delivery_kernel.py", "if k + 8 <= length:", "if k + 8 < length:", harmless="what is left is added one by one"),
    Mutant("sim/delivery_kernel.py", "for k in range(0, length, 16):", "for k in range(0, 16, 16):"),
    Mutant("sim/plan.py", "backward.moved(projection.coupling.parameters.size)", "backward"),
    Mutant("toreq_hw/network/couplings/runs.py", "& (place[1:] == place[:-1] + 1)", ""),
    Mutant("toreq_hw/network/couplings/runs.py", "& ~np.isin(place[1:], breaks)", ""),
)  # fmt: skip
"""Runs of edges, which couplings have that are not dense."""

STENCILS = (
    Mutant("sim/stencil_kernel.py", "events += count_ones(mask)", "events += mask != 0"),
    Mutant("sim/stencil_kernel.py", "(mask | mask >> 1) & EVEN", "mask & EVEN"),
    Mutant("sim/stencil_kernel.py", "0 <= begin + k + 1 < len(deltas)", "begin + k + 1 < len(deltas)"),
    Mutant("sim/stencil_kernel.py", "if k + 8 <= lanes:", "if k + 8 < lanes:", harmless="what is left is added one by one"),
    Mutant("sim/stencil_plan.py", "window.stride][::-1]", "window.stride]"),
    Mutant("sim/stencil_plan.py", " + 2 * lanes * x.begin[other]", ""),
    Mutant("sim/pair_kernel.py", "2 * lane + half", "2 * lane"),
    Mutant("sim/pair_kernel.py", "builder.mul(columns, ir.Constant(_LONG, row))", "columns"),
    Mutant("sim/learning/stencil_gradient_kernel.py", "np.int32(0) - np.int32(pre_negative[j])", "np.int32(pre_negative[j])"),
    Mutant("sim/learning/stencil_gradient_kernel.py", "min(outputs, ", "max(outputs, "),
    Mutant("sim/learning/stencil_gradient_kernel.py", "drawing[k] |= ", "drawing[k] = "),
)  # fmt: skip
"""Stencils, which convolutions have that are not pooled."""

FEEDBACK = (
    Mutant("sim/dense.py", "if kept is not None:", "if False:"),
    Mutant("toreq_hw/contract/cycles.py", "kept if sweep & (sweep - 1) else", "kept if sweep > 1 else"),
    Mutant("toreq_hw/contract/cycles.py", "np.searchsorted(powers, wide) - 1", "np.searchsorted(powers, wide, side=\"right\") - 1"),
    Mutant("sim/event_kernel.py", "elif sweep & (sweep - 1) == 0:", "elif sweep == 1:"),
    Mutant("sim/plan.py", "(p.target.name, p.source.name, p.coupling), -1", "(p.target.name, p.source.name, p.coupling), 0"),
    Mutant("sim/learning/synapses.py", "return -1 if alone or pre < 0 else", "return -1 if pre < 0 else"),
    Mutant("sim/learning/update_kernel.py", "if rates.shift[coupling] < 0:", "if False:"),
    Mutant("toreq_hw/network/feedback.py", "return [c for c in own if c.pre in names and c.post in names]", "return own"),
)  # fmt: skip
"""Feedback of its own, and cycles of any length."""

CLAMPED = (
    Mutant("toreq_hw/network/projection.py", "if target.name in held:", "if target.name == network.input.name:"),
    Mutant("toreq_hw/contract/operations.py", "sum(int(fan_outs(network, name).sum()) for name in held)", "int(fan_outs(network, network.input.name).sum())"),
    Mutant("sim/recorder.py", "for name in network.clamped - {network.input.name}:", "for name in ():"),
    Mutant("sim/recorder.py", "inputs = inputs - start.before", "pass"),
    Mutant("toreq_hw/network/clamping.py", "roles = {driver.name: Role.INPUT, network.input.name: driver.role}", "roles = {driver.name: Role.INPUT, network.input.name: Role.HIDDEN}"),
)  # fmt: skip
"""Phases that clamp other populations than the input, and sequences."""

ATTENTION = (
    Mutant("sim/term_kernel.py", "        walked += 2 * width", "        walked += width"),
    Mutant("sim/term_kernel.py", "add(accumulator, right, deltas[k], standing[score], to_right)", "pass"),
    Mutant("sim/term_kernel.py", "            scratch.version[left] += 1\n            scratch.version[right] += 1\n", "            scratch.version[left] += 1\n"),
    Mutant("sim/event_kernel.py", "        present_terms(plan, states, accumulator, scratch)\n", "        pass\n"),
    Mutant("sim/reference.py", "np.einsum(\"ihx,jhx,hij->hij\", left, right, cells)", "np.einsum(\"ihx,jhx->hij\", left, right)"),
    Mutant("sim/learning/update_kernel.py", "plan.rows.length[population] > 0 or same", "same"),
    Mutant("sim/learning/sample_kernel.py", "right &= best - first", "right |= best - first"),
    Mutant("toreq_hw/contract/budget_kernel.py", "    if at_most:\n", "    if False:\n"),
    Mutant("toreq_hw/contract/budget.py", "    if rows.at_most:\n", "    if False:\n"),
    Mutant("toreq_hw/contract/energy.py", "total += states[population.name] @ index", "pass"),
    Mutant("toreq_hw/contract/energy.py", "2 * theta - 1 for theta", "2 * theta + 1 for theta"),
    Mutant("toreq_hw/contract/operations.py", "* share.term.width for share in", "for share in"),
    Mutant("toreq_hw/network/term_colours.py", "(cells & (both > 0)).any()", "(cells & (both > 1)).any()"),
    Mutant("toreq_hw/network/sweep.py", "coupling.pre not in names or coupling.post not in names", "coupling.pre not in names"),
)  # fmt: skip
"""Trilinear terms, budget rows, readouts of several classes."""

SIM = "testbench/sim"
FIRST = [f"{SIM}/test_{name}.py" for name in ("known_answers", "contract_details", "learning")]
TESTS = (*FIRST, SIM, "testbench/core", "--deselect", f"{SIM}/test_mnist.py")
"""Those that notice most come first."""

if __name__ == "__main__":
    trials = [(mutant, [f"{SIM}/test_runs.py", f"{SIM}/test_latent_bits.py"]) for mutant in RUNS]
    trials += [(mutant, [f"{SIM}/test_stencils.py"]) for mutant in STENCILS]
    trials += [(mutant, [f"{SIM}/test_own_feedback.py"]) for mutant in FEEDBACK]
    trials += [(mutant, [f"{SIM}/test_clamped_phases.py"]) for mutant in CLAMPED]
    attention = [f"{SIM}/test_attention{end}.py" for end in ("_by_hand", "", "_learning")]
    trials += [(mutant, attention) for mutant in ATTENTION]
    main("sim-mutants", trials + [(mutant, TESTS) for mutant in MUTANTS])
