"""A recording as an `.npz` file: what it shows again needs no network and no engine."""

import json
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.phases import PHASES
from toreq_hw.contract.results import CONTINUED
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.files import replacing
from toreq_hw.network.checks import check_roles
from toreq_hw.network.file import population_from
from toreq_hw.network.population import MAX_NEURONS, Population, Role
from toreq_hw.observatory.history import MOST_CHANGES, MOST_TICKS, History, Step
from toreq_hw.observatory.panels import Plan, plan
from toreq_hw.observatory.recording import Recording, Source
from toreq_hw.reading import Fields, decode, parse_json, read_npz

FORMAT = "toreq-hw recording"
VERSION = 1

MOST_BYTES = 1 << 30
"""Of all arrays of a recording."""

MOST_PHASES = 8
"""Of a recording."""

_MOST = (1 << 62) - 1

_PHASES = (*map(str, PHASES), CONTINUED)

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Arrays = dict[str, npt.NDArray[np.generic]]


def save(recording: Recording, path: Path) -> None:
    """Writes all kept ticks of a recording in one step. Raises InputError for one too large."""
    plan, source = recording.plan, recording.source
    about = {
        "format": FORMAT,
        "version": VERSION,
        "network_sha256": source.network_sha256,
        "machine": source.name,
        "rows": source.rows,
        "lattices": list(plan.lattices),
        "populations": [population.describe() for population in plan.populations],
        "phases": [_about(history) for history in recording.phases],
    }
    arrays: _Arrays = {"about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)}
    for number, history in enumerate(recording.phases):
        arrays |= {f"{number}_{name}": values for name, values in _arrays(history).items()}
    size = sum(values.nbytes for values in arrays.values())
    if size > MOST_BYTES or len(recording.phases) > MOST_PHASES:
        raise InputError(
            f"a recording must have at most {MOST_BYTES} bytes and {MOST_PHASES} phases, "
            f"found {size} and {len(recording.phases)}"
        )
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load(path: Path) -> Recording:
    """Reads a recording. Raises InputError, one line that names the file."""
    arrays = read_npz(path, InputError, MOST_BYTES)
    try:
        about = _array(arrays, "about", np.uint8, (-1,)).tobytes()
        text = decode(about, str(path), InputError)
        fields = Fields(parse_json(text, str(path), InputError), str(path), InputError)
        if fields.text("format") != FORMAT or fields.integer("version") != VERSION:
            raise InputError(f"must be a recording of version {VERSION}, found another file")
        found = _recording(fields, arrays)
    except (InputError, NetworkError) as error:
        message = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{path}: {message}") from error
    return found


def _recording(fields: Fields, arrays: _Arrays) -> Recording:
    populations = [population_from(entry) for entry in fields.parts("populations")]
    check_roles(populations)
    lattices = tuple(str(name) for name in fields.items("lattices"))
    shown = plan(populations, lattices)
    output = next(p for p in populations if p.role is Role.OUTPUT)
    source = Source(
        fields.text("network_sha256"),
        fields.text("machine"),
        fields.integer("rows", 1, MAX_NEURONS),
    )
    described = fields.parts("phases")
    if not 1 <= len(described) <= MOST_PHASES:
        raise InputError(f"phases must be 1 to {MOST_PHASES}, found {len(described)}")
    phases = [
        _history(
            entry,
            shown,
            output.size,
            {
                name.removeprefix(f"{number}_"): values
                for name, values in arrays.items()
                if name.startswith(f"{number}_")
            },
        )
        for number, entry in enumerate(described)
    ]
    return Recording.of_phases(shown, source, phases)


def _about(history: History) -> dict[str, str | int | list[int]]:
    return {
        "name": str(history.phase),
        "colours": history.colours,
        "first": history.first,
        "dense": list(history.dense),
        "status": -1 if history.status is None else history.status,
        "sweeps": history.sweeps,
        "period": history.period,
    }


def _arrays(history: History) -> _Arrays:
    steps = history.steps()
    energies = [step.energy for step in steps if step.energy is not None]
    whole = len(energies) == len(steps)
    return {
        "inputs": history.inputs,
        "initial": history.initial,
        "changes": np.array([len(step.neuron) for step in steps[1:]], dtype=np.int64),
        "neuron": np.concatenate([step.neuron for step in steps[1:]] or [steps[0].neuron]),
        "before": np.concatenate([step.before for step in steps[1:]] or [steps[0].before]),
        "after": np.concatenate([step.after for step in steps[1:]] or [steps[0].after]),
        "energy": np.array(energies if whole else [], dtype=np.int64),
        "events": np.array([step.events for step in steps], dtype=np.int64),
        "synops": np.array([step.synops for step in steps], dtype=np.int64),
        "scores": np.stack([step.scores for step in steps]),
    }


def _array(
    arrays: _Arrays, name: str, dtype: type[_Scalar], shape: tuple[int, ...]
) -> npt.NDArray[_Scalar]:
    """An array of a dtype and shape; -1 is any length. Raises InputError."""
    found = arrays.get(name)
    if found is None:
        raise InputError(f"array {name} must be there, found none")
    fits = len(found.shape) == len(shape) and all(
        want in (-1, have) for want, have in zip(shape, found.shape, strict=True)
    )
    if found.dtype != np.dtype(dtype) or not fits:
        wanted = f"{np.dtype(dtype)} {tuple('any' if n < 0 else n for n in shape)}"
        raise InputError(f"array {name} must be {wanted}, found {found.dtype} {found.shape}")
    return found.astype(dtype)


def _states(
    arrays: _Arrays, name: str, populations: tuple[Population, ...]
) -> npt.NDArray[np.int16]:
    """One state a neuron, in range, int16 (neurons,). Raises InputError."""
    found = _array(arrays, name, np.int16, (sum(p.size for p in populations),))
    _check_range(found, np.arange(len(found)), name, populations)
    return found


def _check_range(
    values: npt.NDArray[np.int16],
    neurons: npt.NDArray[np.integer],
    name: str,
    populations: tuple[Population, ...],
) -> None:
    sizes = [p.size for p in populations]
    low = np.repeat(np.array([p.state_min for p in populations]), sizes)
    high = np.repeat(np.array([p.state_max for p in populations]), sizes)
    if np.any(values < low[neurons]) or np.any(values > high[neurons]):
        raise InputError(f"array {name} must hold states of its populations, found others")


def _history(entry: Fields, shown: Plan, classes: int, arrays: _Arrays) -> History:
    """A phase, from its entry and its arrays. Raises InputError."""
    steps = _steps(shown, classes, arrays)
    dense = entry.integers("dense", 0, _MOST)
    if len(dense) != 2:
        raise InputError(f"dense must be two numbers, found {len(dense)}")
    name = entry.text("name")
    if name not in _PHASES:
        raise InputError(f"a phase must be {', '.join(_PHASES)}, found {name!r:.40}")
    history = History(
        phase=name,
        inputs=_states(arrays, "inputs", shown.populations[:1]),
        initial=_states(arrays, "initial", shown.populations[1:]),
        colours=entry.integer("colours", 1, MAX_NEURONS),
        dense=(dense[0], dense[1]),
        start=steps[0],
        first=entry.integer("first", 0, _MOST),
    )
    for step in steps[1:]:
        history.append(step)
    status = entry.integer("status", -1, 2)
    history.status = None if status < 0 else status
    history.sweeps = entry.integer("sweeps", 0, _MOST)
    history.period = entry.integer("period", 0, _MOST)
    return history


def _steps(shown: Plan, classes: int, arrays: _Arrays) -> list[Step]:
    """The ticks of a phase, the start first. Raises InputError."""
    changes = _array(arrays, "changes", np.int64, (-1,))
    if len(changes) > MOST_TICKS or np.any((changes < 0) | (changes > MOST_CHANGES)):
        raise InputError(f"array changes must be of at most {MOST_TICKS} ticks, 0 or more each")
    total, ticks = int(changes.sum()), len(changes) + 1
    neuron = _array(arrays, "neuron", np.int32, (total,))
    if np.any((neuron < 0) | (neuron >= shown.size - shown.input_size)):
        raise InputError("array neuron must hold neurons of the populations, found others")
    moves = [_array(arrays, name, np.int16, (total,)) for name in ("before", "after")]
    for name, values in zip(("before", "after"), moves, strict=True):
        _check_range(values, neuron, name, shown.populations[1:])
    energy = _array(arrays, "energy", np.int64, (-1,))
    if len(energy) not in (0, ticks):
        raise InputError(f"array energy must have {ticks} values or none, found {len(energy)}")
    events, synops = (_array(arrays, name, np.int64, (ticks,)) for name in ("events", "synops"))
    scores = _array(arrays, "scores", np.int64, (ticks, classes))
    bounds = np.concatenate([[0, 0], np.cumsum(changes)])
    own = [slice(*pair) for pair in pairwise(bounds.tolist())]
    return [
        Step(
            neuron=neuron[own[k]],
            before=moves[0][own[k]],
            after=moves[1][own[k]],
            energy=int(energy[k]) if len(energy) else None,
            events=int(events[k]),
            synops=int(synops[k]),
            scores=scores[k],
        )
        for k in range(ticks)
    ]
