"""Target `nengo-loihi`: a spiking approximation on nengo-loihi's emulator of Loihi 1."""

import numpy as np

from toreq_hw import sim
from toreq_hw.network import Network
from toreq_hw.records.deployment import ApproximateRun, StateError
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target

AGREEMENT = 0.9
"""Share of samples whose class must be the simulator's for the check to hold."""

NOTES = (
    "Nothing ran on silicon: this is nengo-loihi's emulator of Loihi 1.",
    "An approximation: rates in place of integer states, all populations at once, free phase "
    "only. The loihi and nengo targets are exact.",
)


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Runs the free phase on the emulator and says how far it is from the simulator."""
    from toreq_hw.lava_backend import nengo_loihi_run  # imports Nengo

    strength = nengo_loihi_run.check(network)
    found = nengo_loihi_run.run(network, samples.inputs)
    expected = sim.free_phase(network, samples.inputs)
    states = np.concatenate([expected.states[p.name] for p in network.relaxing], axis=1)
    error = np.abs(found.states - states)
    layout = sim.Layout(network)
    agreement = float(np.mean(found.classes == expected.classes))
    follows = strength <= nengo_loihi_run.FOLLOWED_STRENGTH
    record = ApproximateRun(
        bit_exact=False,
        samples=len(samples),
        class_agreement=agreement,
        class_agreement_needed=AGREEMENT,
        accuracy=float(np.mean(found.classes == samples.labels)),
        simulator_accuracy=float(np.mean(expected.classes == samples.labels)),
        mean_state_error=float(error.mean()),
        largest_state_error=float(error.max()),
        mean_state_error_by_population={
            p.name: StateError(float(error[:, layout.of(p)].mean()), p.state_max)
            for p in network.relaxing
        },
        spikes_per_sample=float(np.mean(found.spikes)),
        events_per_sample_of_the_simulator=float(np.mean(expected.events + expected.input_events)),
        input_events_per_sample_of_the_simulator=float(np.mean(expected.input_events)),
        coupling_strength=strength,
        coupling_strength_is_followed=follows,
        emulator_seconds=found.seconds,
    )
    notes: tuple[str, ...] = NOTES
    if not follows:
        notes += (
            f"flagged: coupling strength {strength:.2f} is above "
            f"{nengo_loihi_run.FOLLOWED_STRENGTH:g}, where the approximation may settle elsewhere",
        )
    return Outcome(agreement >= AGREEMENT, record, notes, seed=nengo_loihi_run.SEED)


target = Target(
    name="nengo-loihi",
    description="a spiking, rate-coded approximation on nengo-loihi's emulator of Loihi 1",
    run=run,
    standing=Standing.APPROXIMATE,
    modules=("nengo", "nengo_loihi"),
    tried=("nengo 4.1.0", "nengo-loihi 1.1.0"),
    extra="nengo",
    samples=20,
)
