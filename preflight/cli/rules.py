"""`preflight rules`: list the rules, show one."""

import click

from preflight.cli.layout import Group, paragraph, table
from preflight.engine import load_rules
from preflight.facts.methods import methods_for
from preflight.rulebook import Rule, select

ON_REQUEST = ", on request"


@click.group(name="rules", cls=Group, help="List the rules, or show one.")
def command() -> None:
    """The group of the commands about rules."""


@command.command(name="list")
def list_rules() -> None:
    """List the rules, one a line: id, severity, what is good."""
    rows = [
        (
            rule.id,
            f"{rule.severity.value}{ON_REQUEST}" if rule.on_request else rule.severity.value,
            " ".join(rule.requirements),
            rule.title,
        )
        for rule in load_rules()
    ]
    click.echo(table(rows, ("rule", "severity", "items", "holds when")))


@command.command(name="show")
@click.argument("rule_id", metavar="ID")
def show_rule(rule_id: str) -> None:
    """Show one rule: why it matters, how it judges, what it reads."""
    click.echo(describe(select(load_rules(), (rule_id,))[0]))


def describe(rule: Rule) -> str:
    """The rule in plain text."""
    from preflight.engine import needed_facts

    reads = [method.id for method in methods_for(needed_facts([rule]))]
    lines = [
        paragraph(f"{rule.id}: {rule.title}"),
        "",
        f"Severity  {rule.severity.value}{ON_REQUEST if rule.on_request else ''}",
        f"Items     {' '.join(rule.requirements) or 'none'}",
        f"After     {', '.join(rule.after) or 'nothing'}",
        f"Since     {rule.since}",
        "",
        paragraph(f"Why. {rule.why}"),
        "",
        paragraph(f"How. {' '.join(rule.how.split())}"),
        "",
        "Reads" if reads else "Reads nothing from Google.",
        *(f"  {name}" for name in reads),
    ]
    return "\n".join(lines)
