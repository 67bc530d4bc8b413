"""A command that knows all its files, and refuses before any work those that must not be written.

Outputs that name one file, an output that is also an input, a place that cannot be written, and
kept work of another run: each is one line and exit status 2. So is a file of somebody else.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from toreq_hw.cli import console
from toreq_hw.cli.paths import InputFile, OutputFile, OutputFolder
from toreq_hw.cli.replaced import PAGE_SUFFIX, check_replaced
from toreq_hw.cli.runs import META
from toreq_hw.destinations import (
    Destination,
    Identity,
    Way,
    check_destination,
    check_folder,
    destination,
    release_held,
)
from toreq_hw.errors import InputError, OutputError
from toreq_hw.file_kinds import Kind, check_kind
from toreq_hw.studies.kept_work import kept_work, run_name

OVERWRITE = "toreq_hw.overwrite"
"""Key of a click context's `meta`: whether kept work of another run is written over."""

_NO_SETTINGS = frozenset(
    {"overwrite", "jobs", "threads", "scheduler", "compare", "traced", "checkpoint_every"}
)
"""Parameters that change nothing about the networks that a command writes."""


Values = dict[str, Any]
"""What a person typed, as click read it: of each parameter of a command, by its name."""


def overwriting() -> bool:
    """Whether the command in progress has --overwrite."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(OVERWRITE))


@dataclass(frozen=True)
class Files:
    """Files of a command beside those that its options name, by what a person calls them.

    folders: with the names of files that are written there. shared: pairs (output, input) that may
    be one file. run: the name of the run that goes on, if this one goes on with another.
    """

    outputs: Mapping[str, Path] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)
    folders: Mapping[str, tuple[Path, tuple[str, ...]]] = field(default_factory=dict)
    shared: tuple[tuple[str, str], ...] = ()
    run: str | None = None


class CheckedCommand(click.Command):
    """A command whose paths are of the types in `paths`.

    files: from the parameters' values, what the types do not say.
    """

    def __init__(
        self,
        *arguments: Any,
        files: Callable[[Values], Files] = lambda _: Files(),
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._files = files

    @property
    def own_name(self) -> str:
        """The name that a person calls it by, which is its module's; runs are named after it."""
        return self.callback.__module__.rpartition(".")[2].replace("_", "-")

    def invoke(self, ctx: click.Context) -> Any:
        """Checks all files, then runs. Raises InputError or OutputError."""
        try:
            more = self._files(ctx.params)
        except ValueError as error:  # of Path.with_suffix
            raise InputError(f"paths must name files, found: {error}") from error
        for label, path, kinds in _kinds(self.params, ctx.params):
            check_kind(label, path, kinds)
        outputs = dict(_files_of(self.params, ctx.params, OutputFile)) | dict(more.outputs)
        inputs = dict(_files_of(self.params, ctx.params, InputFile)) | dict(more.inputs)
        inputs |= dict(_data_files(self.params, ctx.params))
        folders = dict(self._folders(ctx.params)) | dict(more.folders)
        ctx.meta[META] = more.run or run_name(self.own_name, self._settings(ctx))
        places = {label: destination(path) for label, path in outputs.items()}
        _refuse_same(places, inputs, set(more.shared))
        _refuse_nested(places, folders)
        own = {_identity(inputs[label]) for _, label in more.shared if label in inputs}
        _refuse_within(folders, outputs | inputs)
        within = {
            f"{label}/{name}": folder / name
            for label, (folder, names) in folders.items()
            for name in names
            if "*" not in name
        }
        try:
            for folder, _ in folders.values():
                check_folder(folder)
            for label, path in (outputs | within).items():
                place = check_destination(path)
                if not ctx.meta.get(OVERWRITE) and place.identity not in own:
                    self._refuse_other_work(place, ctx.meta[META])
                    if label in outputs or path.suffix == PAGE_SUFFIX:
                        check_replaced(label, place, with_overwrite=self._can_overwrite)
            taken = any(place.way is Way.STANDARD_OUTPUT for place in places.values())
            with console.output_on_standard_error() if taken else nullcontext():
                return super().invoke(ctx)
        finally:
            release_held()

    def _folders(self, values: Mapping[str, Any]) -> Iterable[tuple[str, tuple[Path, Any]]]:
        for parameter in self.params:
            kind, value = parameter.type, values.get(parameter.name or "")
            if isinstance(kind, OutputFolder) and value is not None:
                yield _label(parameter), (value, kind.names)

    def _settings(self, ctx: click.Context) -> Values:
        """Values that are not defaults, of parameters that can change what is computed."""
        found = {}
        for parameter in self.params:
            name = parameter.name or ""
            if name in _NO_SETTINGS or isinstance(parameter.type, OutputFile | OutputFolder):
                continue
            given = ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
            value = ctx.params.get(name)
            default = parameter.get_default(ctx)
            if isinstance(default, str | int | float | tuple | Path):  # else there is none
                given = given and value != parameter.type_cast_value(ctx, default)
            if given:
                found[name] = value
        return found

    @property
    def _can_overwrite(self) -> bool:
        return any(parameter.name == "overwrite" for parameter in self.params)

    def _refuse_other_work(self, place: Destination, run: str) -> None:
        if place.way is not Way.REPLACED or not place.exists:
            return
        found = kept_work(place.target)
        if found is not None and found.run != run:
            way = "name another file"
            if self._can_overwrite:
                way = "name another file, or use --overwrite"
            raise InputError(
                f"{place.path}: must be a new file or one of this very run, found {found.kind} "
                f"of another run; {way}"
            )


checked_command = partial(click.command, cls=CheckedCommand)
"""The decorator of every command."""


def _files_of(
    parameters: Iterable[click.Parameter], values: Mapping[str, Any], kind: type[click.Path]
) -> Iterable[tuple[str, Path]]:
    """The files that parameters of one kind name; of a repeated one each."""
    for parameter in parameters:
        value = values.get(parameter.name or "")
        if not isinstance(parameter.type, kind) or value is None:
            continue
        if not isinstance(value, tuple):
            yield _label(parameter), value
            continue
        for number, path in enumerate(value, start=1):
            yield f"{_label(parameter)} {number}", path


def _data_files(
    parameters: Iterable[click.Parameter], values: Mapping[str, Any]
) -> Iterable[tuple[str, Path]]:
    """The files of own data, of parameters whose types say which a value names."""
    for parameter in parameters:
        files_read = getattr(parameter.type, "files_read", None)
        found = files_read(values.get(parameter.name or "")) if files_read else ()
        for number, path in enumerate(found, start=1):
            yield f"{_label(parameter)}{f' {number}' if number > 1 else ''}", path


def _kinds(
    parameters: Iterable[click.Parameter], values: Mapping[str, Any]
) -> Iterable[tuple[str, Path, tuple[Kind, ...]]]:
    """Parameters that name an input of certain kinds, each path of them by itself."""
    for parameter in parameters:
        if isinstance(parameter.type, InputFile) and parameter.type.kinds:
            for label, path in _files_of([parameter], values, InputFile):
                yield label, path, parameter.type.kinds


def _label(parameter: click.Parameter) -> str:
    """What a person calls a parameter."""
    if isinstance(parameter, click.Argument):
        return parameter.human_readable_name.rstrip(".")
    return max(parameter.opts, key=len)


def _refuse_same(
    outputs: Mapping[str, Destination], inputs: Mapping[str, Path], shared: set[tuple[str, str]]
) -> None:
    """Raises InputError where two outputs, or an output and an input, are one file."""
    for (label, one), (other_label, other) in combinations(outputs.items(), 2):
        if one.identity == other.identity and not one.shareable:
            raise InputError(
                f"{label} and {other_label} must be different files, found {other.path} for both"
            )
    for label, path in inputs.items():
        identity = _identity(path)
        for output, place in outputs.items():
            if place.identity == identity and not place.shareable and (output, label) not in shared:
                raise InputError(
                    f"{output} must be another file than {label}, which is read, found "
                    f"{place.path} for both"
                )


def _refuse_nested(
    outputs: Mapping[str, Destination], folders: Mapping[str, tuple[Path, tuple[str, ...]]]
) -> None:
    """Raises InputError for a file where another output needs a folder, be it made yet or not."""
    files = {label: place for label, place in outputs.items() if place.way is Way.REPLACED}
    needed = {label: folder.resolve(strict=False) for label, (folder, _) in folders.items()}
    needed |= {label: place.target.parent for label, place in files.items()}
    for label, place in files.items():
        for other, folder in needed.items():
            if place.target in (folder, *folder.parents):
                raise InputError(
                    f"{label} must be a file, found the folder that {other} is written into: "
                    f"{place.path}"
                )


def _identity(path: Path) -> Identity | None:
    """Of what is read; None where it cannot be an output either."""
    try:
        return destination(path).identity
    except OutputError:
        return None


def _refuse_within(
    folders: Mapping[str, tuple[Path, tuple[str, ...]]], files: Mapping[str, Path]
) -> None:
    """Raises InputError for a file that is one of those which are written into a folder."""
    for label, (folder, names) in folders.items():
        for other, path in files.items():
            place = path.resolve(strict=False)
            if place.parent == folder.resolve(strict=False) and any(
                fnmatchcase(place.name, name) for name in names
            ):
                raise InputError(
                    f"{other} must be another file than those which are written into {label}, "
                    f"found {path}"
                )
