"""Be told of epochs, samples and ticks of a training: python examples/watch_training.py"""

from dataclasses import dataclass, field

from toreq_hw import Trained, data, train
from toreq_hw.contract.results import PhaseResult
from toreq_hw.contract.ticks import PhaseStart, Tick
from toreq_hw.training import EpochReport, UpdateReport


@dataclass
class Counter:
    """An observer of ticks, with a method for epochs and one for samples."""

    epochs: list[float] = field(default_factory=list)
    samples: int = 0
    ticks: int = 0
    phases: int = 0

    def on_epoch(self, report: EpochReport) -> None:
        """An epoch has ended."""
        self.epochs.append(report.accuracy)

    def on_update(self, report: UpdateReport) -> None:
        """A sample was learned."""
        self.samples += len(report.samples)

    def begin(self, start: PhaseStart) -> None:
        """A phase begins."""
        self.phases += 1

    def tick(self, tick: Tick) -> None:
        """A tick has ended: `tick.registers` would read states and energy."""
        self.ticks += 1

    def end(self, result: PhaseResult) -> None:
        """A phase has ended."""


def run(samples: int) -> tuple[Trained, Counter]:
    """One epoch of few digits, watched to the tick."""
    digits = data.load("digits")
    count = len(digits.train) - samples
    few = digits.holding_out(count).holding_out(samples // 5)
    counter = Counter()
    trained = train(
        few,
        hidden=(16,),
        epochs=1,
        on_epoch=counter.on_epoch,
        on_update=counter.on_update,
        observers=[counter],
    )
    return trained, counter


if __name__ == "__main__":
    _, seen = run(200)
    print(f"{seen.samples} samples, {seen.phases} phases, {seen.ticks} ticks")
    print("accuracy of each epoch", *seen.epochs)
