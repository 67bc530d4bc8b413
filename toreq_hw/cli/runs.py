"""The name of the run in progress, which the files that it makes carry."""

import click

META = "toreq_hw.run"
"""Key of a click context's `meta` that holds the name of the run in progress."""


def current_run() -> str | None:
    """The name of the run in progress; None outside commands."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(META)
