"""Imports Nengo quietly and without its decoder cache; the only place that imports it.

Nengo 4.1 still reaches for NumPy's old private names, which warns, and caches decoders in the
user's home, which nothing here needs.
"""

import warnings

from toreq_hw.errors import MissingDependencyError
from toreq_hw.extras import install_command

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import nengo
except ImportError as error:
    raise MissingDependencyError(
        f"nengo must be installed, found: {error}; run: {install_command('nengo')}"
    ) from error

nengo.rc.set("decoder_cache", "enabled", "False")

__all__ = ["nengo"]
