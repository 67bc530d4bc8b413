"""Behaviour cloning: a controller that solves a task is the expert, its decisions the data.

An observation becomes unsigned bytes by a *ramp code*: each variable's range is cut into
equal parts, and one input a part rises from 0 to 255 while the variable crosses it. Any
weighting of the variables is a sum over inputs, and the resolution is far above 8 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import reals
from toreq_hw.data import Dataset, Split
from toreq_hw.errors import DataError
from toreq_hw.extras import missing
from toreq_hw.suggestions import look_up

RAMPS = 16
"""Inputs a variable."""

EXPLORATION = 0.2
"""Chance of a random action while data are gathered, so that states the expert by itself
would never reach are seen; their label is still the expert's decision."""

TRAINING_SAMPLES, TEST_SAMPLES = 45_000, 5_000

Observations = npt.NDArray[np.float64]
Actions = npt.NDArray[np.int64]
Policy = Callable[[npt.NDArray[np.uint8]], Actions]
"""From coded observations, uint8 (batch, inputs), to actions, int64 (batch,)."""


@dataclass(frozen=True)
class Task:
    """An environment, its expert, and the range in which each observed variable is coded.

    low, high: what nearly all demonstrations stay within; beyond, a variable counts as its end.
    expert: observations (batch, variables) to actions, int64 (batch,).
    """

    name: str
    environment: str
    actions: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    expert: Callable[[Observations], Actions]
    what_the_expert_does: str


def _balance(observations: Observations) -> Actions:
    """State feedback on cart position and speed, pole angle and angular speed."""
    push = observations @ np.array([0.05, 0.1, 1.0, 0.3])
    return np.where(push > 0, 1, 0)


def _pump(observations: Observations) -> Actions:
    """Full torque in the direction in which the driven joint turns: adds energy at each step."""
    return np.where(observations[:, 5] > 0, 2, 0)


TASKS = {
    task.name: task
    for task in (
        Task(
            name="cartpole",
            environment="CartPole-v1",
            actions=2,
            low=(-0.8, -1.0, -0.12, -1.0),
            high=(0.8, 1.0, 0.12, 1.0),
            expert=_balance,
            what_the_expert_does="state feedback: pushes along 0.05 x + 0.1 x' + a + 0.3 a'",
        ),
        Task(
            name="acrobot",
            environment="Acrobot-v1",
            actions=3,
            low=(-1.0, -1.0, -1.0, -1.0, -4.0, -6.0),
            high=(1.0, 1.0, 1.0, 1.0, 4.0, 6.0),
            expert=_pump,
            what_the_expert_does="energy pumping: torque along the driven joint's speed",
        ),
    )
}


@named_type_errors
def task(name: str) -> Task:
    """The task called `name`; DataError if there is none."""
    return look_up(TASKS, name, "task", DataError)


@named_type_errors
def code(task: Task, observations: Observations) -> npt.NDArray[np.uint8]:
    """The ramp code, uint8 (batch, variables * RAMPS). Raises InputError."""
    observations = reals("observations", observations, ("batch", len(task.low)))
    low, high = np.array(task.low), np.array(task.high)
    parts = (observations - low) / (high - low) * RAMPS
    ramps = np.clip(parts[:, :, None] - np.arange(RAMPS), 0, 1)
    coded = np.round(255 * ramps).astype(np.uint8)
    return np.reshape(coded, (len(observations), -1))


@named_type_errors
def demonstrations(task: Task) -> Dataset:
    """Coded observations labelled with the expert's action; test episodes are others.

    Always the same: episodes are seeded by their number, exploration by the task's first one.
    """
    width = len(task.low) * RAMPS
    return Dataset(
        name=task.name,
        shape=(len(task.low), RAMPS),
        pixel_max=255,
        classes=task.actions,
        split=(
            f"{TRAINING_SAMPLES} training and {TEST_SAMPLES} test decisions of the expert in "
            f"different episodes of {task.environment}, {EXPLORATION:.0%} of steps at random"
        ),
        train=_gather(task, TRAINING_SAMPLES, first_episode=10_000, width=width),
        test=_gather(task, TEST_SAMPLES, first_episode=20_000, width=width),
    )


def _gather(task: Task, samples: int, first_episode: int, width: int) -> Split:
    rng = np.random.default_rng(first_episode)
    environment = _make(task)
    observations: list[Observations] = []
    episode = first_episode
    while len(observations) < samples:
        observation, _ = environment.reset(seed=episode)
        episode += 1
        ended = False
        while not ended and len(observations) < samples:
            observations.append(np.asarray(observation, dtype=np.float64))
            action = int(task.expert(observations[-1][None])[0])
            if rng.random() < EXPLORATION:
                action = int(rng.integers(task.actions))
            observation, _, terminated, truncated, _ = environment.step(action)
            ended = terminated or truncated
    environment.close()
    gathered = np.stack(observations)
    images = code(task, gathered)
    assert images.shape == (samples, width)
    return Split(images, task.expert(gathered))


@named_type_errors
def play(
    task: Task, policy: Policy | None, episodes: int, first_episode: int = 0
) -> npt.NDArray[np.float64]:
    """The score (sum of rewards) of each episode, float64 (episodes,); all run side by side.

    policy: chooses the actions of all running episodes at once; None lets the expert act.
    """
    environments = [_make(task) for _ in range(episodes)]
    observed = [
        np.asarray(e.reset(seed=first_episode + k)[0], dtype=np.float64)
        for k, e in enumerate(environments)
    ]
    scores = np.zeros(episodes)
    running = list(range(episodes))
    while running:
        observations = np.stack([observed[k] for k in running])
        actions = task.expert(observations) if policy is None else policy(code(task, observations))
        still = []
        for k, action in zip(running, actions, strict=True):
            step = environments[k].step(int(action))
            observed[k] = np.asarray(step[0], dtype=np.float64)
            scores[k] += step[1]
            if not (step[2] or step[3]):
                still.append(k)
        running = still
    for environment in environments:
        environment.close()
    return scores


def _make(task: Task):  # type: ignore[no-untyped-def]  # gymnasium's own type, when installed
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise missing("behaviour cloning", "gymnasium", "quant") from error
    return gymnasium.make(task.environment)
