"""`preflight check`: does this repository break a vendor's connection?"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from preflight.check.repository import Check, Options
from preflight.cli import screen
from preflight.cli.options import InOrder, choice_of_formats, choice_of_rules, choice_of_variables, in_order
from preflight.cli.outputs import Outputs, named_outputs, parse_format, parse_reports
from preflight.cli.screen import shown, warn
from preflight.errors import OutputError
from preflight.renderers import Format
from preflight.renderers.fleet import Row, exit_code
from preflight.renderers.many import full_document


@click.command(name="check", cls=InOrder)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="This configuration, not the nearest preflight.toml or [tool.preflight].",
)
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Judge this plan (terraform show -json) and not the files of Terraform (repeatable).",
)
@choice_of_variables
@choice_of_rules
@choice_of_formats()
@click.option("--allow-unknown", is_flag=True, help="Exit 0 even if something required can't be told.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing on stdout; the exit code and the files tell.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[Path, ...],
    config: Path | None,
    plans: tuple[Path, ...],
    variables: tuple[str, ...],
    var_files: tuple[Path, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    rules_dir: Path | None,
    profile_name: str,
    form: str,
    reports: tuple[str, ...],
    allow_unknown: bool,
    quiet: bool,
) -> int:
    """Judge what a repository declares in Terraform: would it break a vendor's connection?

    Looks at the roots that PATHS have to do with (else: all of this folder), and asks nobody. What the repository
    neither declares nor owns is left to: preflight run
    """
    chosen = context.get_parameter_source("profile_name") is click.core.ParameterSource.COMMANDLINE
    options = Options(
        paths=paths,
        config=config,
        plans=plans,
        given=in_order(variables=variables, var_files=var_files),
        environment=os.environ,
        profile=profile_name if chosen else None,
        only=only,
        skip=skip,
        rules_dir=rules_dir,
        allow_unknown=allow_unknown,
    )
    named = parse_reports(reports, read=(*plans, config))
    return carry_out(options, parse_format(form), named, os.environ, quiet=quiet)


def carry_out(
    options: Options,
    form: Format,
    reports: tuple[tuple[Format, Path], ...],
    environ: Mapping[str, str],
    *,
    quiet: bool = False,
) -> int:
    """Judges, shows, writes; returns the worst exit code."""
    check = Check(options)
    rows: list[Row] = []
    failed: OutputError | None = None
    with named_outputs(form, reports, environ) as named:
        for report in _told(check, form, named, rows, quiet=quiet):
            failed = failed or report
        if named is not None:
            written = named.finish()
            if written:
                click.echo(f"Reports: {' '.join(str(path) for path in written)}", err=True)
    warn(check.warnings)
    if not rows:
        click.echo(check.nothing, err=True)
    if failed is not None:
        raise failed
    return exit_code(rows)


def _told(check: Check, form: Format, named: Outputs | None, rows: list[Row], *, quiet: bool) -> Iterator[OutputError]:
    """Judges all and tells each report as it comes; the errors of stdout come back, the files are written all the
    same."""
    wanted = (named.formats if named is not None else frozenset()) | (frozenset() if quiet else {form})
    documents = {
        one: full_document(one, colour=screen.colour() and one is form, width=screen.width(), warnings=check.warnings)
        for one in wanted
    }

    def tell(one: Format, text: str) -> Iterator[OutputError]:
        if text and one is form and not quiet:
            error = shown(lambda: click.echo(text, nl=False, color=screen.colour()))
            if error is not None:
                yield error
        if named is not None:
            named.write(one, text)

    with contextlib.closing(check.reports()) as reports:
        for report in reports:
            rows.append(Row.of(report))
            for one, document in documents.items():
                yield from tell(one, document.add(report))
    for one, document in documents.items():
        yield from tell(one, document.end(rows))
