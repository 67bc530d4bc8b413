"""The examples that need no extra run, with quick sizes."""

from pathlib import Path

from examples.deploy import run as deploy
from examples.train import run as train
from examples.watch_training import run as watch
from toreq_hw import network
from toreq_hw.records.deployment import SimRun


def test_train_saves_what_it_trained(tmp_path: Path) -> None:
    trained = train(tmp_path, epochs=2)
    assert network.load(tmp_path / "net.safetensors").sha256 == trained.network.sha256
    assert trained.accuracy > 0.5
    assert len(trained.history) == 2


def test_watch_training_counts() -> None:
    trained, counter = watch(100)
    assert counter.samples == 80
    assert counter.phases == 3 * 80
    assert counter.ticks > counter.phases
    assert counter.epochs == [report.accuracy for report in trained.history]


def test_deploy_to_the_simulator(tmp_path: Path) -> None:
    deployed = deploy(train(tmp_path, epochs=1).network, "sim", 5)
    assert deployed.passed
    assert deployed.run.target == "sim"
    assert isinstance(deployed.outcome.record, SimRun)
    assert deployed.outcome.record.samples == 5
