"""What the fuzzer knows of one reader, and how an input for it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from testbench.fuzz import containers, mutations
from testbench.fuzz.trees import dumped, invented_tree

Seeds = Callable[[Path], list[bytes]]


@dataclass(frozen=True, eq=False)
class Reader:
    """One kind of file. weight: its share of all inputs. suffix: of the files that it is given.

    read: whatever is done with a file; it may raise a ToreqError and nothing else. inside: changes
    that keep the container whole, so that the checks behind it are reached.
    """

    name: str
    weight: float
    seeds: Seeds
    read: Callable[[Path], object]
    inside: containers.Inside | None = None
    suffix: str = ""

    @cached_property
    def valid(self) -> list[bytes]:
        """The seeds' bytes."""
        with TemporaryDirectory() as folder:
            return self.seeds(Path(folder))

    def make(self, rng: Random) -> bytes:
        """One input: a seed changed inside, or in its bytes, or in both; or something invented."""
        kind = rng.random()
        content = rng.choice(self.valid)
        if kind < 0.02:
            return content
        if kind < 0.1:
            if self.inside is containers.in_json and rng.random() < 0.5:
                return dumped(invented_tree(rng)).encode()
            return mutations.invented(rng, self.valid)
        if self.inside is not None and kind < 0.75:
            content = self.inside(rng, content)
            if kind < 0.65:
                return content
        return mutations.mutated(rng, content, self.valid)
