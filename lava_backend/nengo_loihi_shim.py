"""Makes nengo-loihi 1.1 work on NumPy 2; the only place that imports it.

It asks `np.array(..., copy=False)` for "copy only if needed", which NumPy 2 spells
`np.asarray`; two of its modules are given a view of NumPy that translates.
"""

import warnings
from types import ModuleType
from typing import Any

import numpy as np

from toreq_hw.errors import MissingDependencyError
from toreq_hw.extras import install_command
from toreq_hw.lava_backend.nengo_shim import nengo

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nengo_loihi
        import nengo_loihi.block
        import nengo_loihi.neurons
except ImportError as error:
    raise MissingDependencyError(
        f"nengo-loihi must be installed, found: {error}; run: {install_command('nengo')}"
    ) from error


class _TranslatedNumPy(ModuleType):
    """NumPy, in which `array(copy=False)` copies where it has to instead of raising."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def array(*arguments: Any, copy: bool | None = True, **options: Any) -> Any:
        """`numpy.array` with NumPy 1's meaning of copy=False."""
        return np.array(*arguments, copy=copy or None, **options)


for _module in (nengo_loihi.block, nengo_loihi.neurons):
    _module.np = _TranslatedNumPy("numpy")

__all__ = ["nengo", "nengo_loihi"]
