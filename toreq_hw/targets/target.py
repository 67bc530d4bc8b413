"""The vocabulary of deployment: a target, what it is given, and what it hands back."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw import extras
from toreq_hw.argument_types import named_type_errors
from toreq_hw.network import Network
from toreq_hw.records.chip import ChipRecord
from toreq_hw.records.deployment import TargetRecord


@dataclass(frozen=True, eq=False)
class Samples:
    """Real samples to run: test images as input states, with their classes.

    inputs: int16 (samples, input.size). labels: int64 (samples,). data: name of the set.
    split: one sentence that says which images are which.
    """

    data: str
    split: str
    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sha256(self) -> str:
        """Of name, split, input states and labels, hexadecimal."""
        digest = hashlib.sha256(repr((self.data, self.split, self.inputs.shape)).encode())
        for array, kind in ((self.inputs, "<i2"), (self.labels, "<i8")):
            digest.update(np.ascontiguousarray(array, dtype=kind).tobytes())
        return digest.hexdigest()


Watch = Callable[[str, int, int], None]


@named_type_errors
@dataclass(frozen=True)
class Options:
    """What a person may choose beyond the network and the samples.

    batch: samples run at once, None for the target's own choice. chip: name or path of a chip
    description. third_party: whether another tool estimates energy and time too. report: folder for
    pictures and exported files, None for none. port: of a board, or sim. program: bitstream to put
    onto the board first, None to leave it as it is. lanes: of the core on a board, None for as many
    as fit, as of toreq-hw synth. accumulator_register: of that core, too. threshold: of the lossy
    mode, None for lossless. watch: told what is done, how much of it, and how much there is (0:
    nobody knows, as of a compiler).
    """

    batch: int | None = None
    chip: str = "loihi2"
    third_party: bool = False
    report: Path | None = None
    port: str | None = None
    program: Path | None = None
    lanes: int | None = None
    accumulator_register: bool = False
    threshold: int | None = None
    watch: Watch = lambda _what, _done, _total: None


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    passed: whether every check held (exit status 0 or 1). notes: sentences a person must read,
    shown under the table of figures. chip: the map onto a chip, and its estimates. drawn: those of
    the notes that a page shows in sections of its own. packages: that ran beside the target's own.
    seed: of what it drew, None for nothing.
    """

    passed: bool
    record: TargetRecord
    notes: tuple[str, ...] = ()
    chip: ChipRecord | None = None
    drawn: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    seed: int | None = None


Run = Callable[[Network, Samples, Options], Outcome]


class Standing(Enum):
    """How near a target comes to the contract, and what it runs on."""

    EXACT = "exact, in software"
    APPROXIMATE = "approximate, in software"
    HARDWARE = "simulated: exact; real: needs a board, none was tried"
    FILE = "writes a file, runs nothing"


@dataclass(frozen=True)
class Target:
    """One machine, or model of a machine, that a network file can be deployed to.

    standing: how exact it is, and on what. modules: what must be importable. tried: packages with
    the last version that the tests ran with, such as "nir 1.0.8". extra: that installs them, or
    `extras.LAVA`. samples: test images that run unless a person says otherwise. lossy: whether it
    can run with a threshold.
    """

    name: str
    description: str
    run: Run
    standing: Standing
    modules: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    extra: str = ""
    samples: int = 100
    lossy: bool = False

    @property
    def packages(self) -> tuple[str, ...]:
        """Whose versions the record of a run names."""
        return tuple(text.split()[0] for text in self.tried)

    def missing(self) -> tuple[str, ...]:
        """Those of `modules` that are not installed here."""
        return tuple(name for name in self.modules if find_spec(name) is None)

    def require(self) -> None:
        """Raises MissingDependencyError, naming the command to install with."""
        missing = self.missing()
        if missing:
            raise extras.missing(f"target {self.name}:", ", ".join(missing), self.extra)
