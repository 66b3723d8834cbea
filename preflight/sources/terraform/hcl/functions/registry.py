"""How a function of Terraform's is made known: its name, how many arguments it takes, what it returns."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from preflight.sources.terraform.hcl.kinds import ANY, Type
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.types import of_type
from preflight.sources.terraform.hcl.values import ListValue, RefusedError, SetValue, whole

Body = Callable[..., object]


class Function(Struct, frozen=True):
    """A function of the language."""

    name: str
    run: Body
    least: int
    most: int
    returns: Type = ANY
    partial: bool = False
    """It takes arguments that are unsettled in parts, or altogether."""
    nulls: bool = False
    """It takes null."""
    scoped: bool = False
    """It wants the scope as its first argument."""

    def call(self, arguments: list[Any], scope: Scope) -> object:
        """The function's value. Raises RefusedError for wrong arguments, UnsettledError where they are unsettled."""
        if not self.least <= len(arguments) <= self.most:
            raise RefusedError(f"{self.name}() does not take {len(arguments)} argument{'s' * (len(arguments) != 1)}")
        if not self.nulls and any(argument is None for argument in arguments):
            raise RefusedError(f"an argument of {self.name}() is null")
        if not self.partial:
            arguments = [whole(argument) for argument in arguments]
        value = self.run(scope, *arguments) if self.scoped else self.run(*arguments)
        if isinstance(value, ListValue | SetValue) and self.returns.element:
            return of_type(value, self.returns.element)
        return value


MANY = 1_000_000


class Registry(dict[str, Function]):
    """Functions by name."""

    def add(
        self,
        name: str,
        least: int,
        most: int = 0,
        *,
        returns: Type = ANY,
        partial: bool = False,
        nulls: bool = False,
        scoped: bool = False,
    ) -> Callable[[Body], Body]:
        """Registers the decorated function under a name; `most` is `least` where it isn't given."""

        def decorate(run: Body) -> Body:
            self[name] = Function(name, run, least, most or least, returns, partial, nulls, scoped)
            return run

        return decorate
