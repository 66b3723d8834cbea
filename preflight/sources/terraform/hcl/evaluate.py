"""What an expression means, in three values: settled, refused by Terraform, or unsettled and why.

`evaluate` returns a value that may be unsettled in parts, or raises `UnsettledError`, `RefusedError` (Terraform would
stop here; `try()` goes on) or `ExhaustedError`. `soft` turns the first into a value. What doesn't hang on an unsettled
part is settled all the same: `false && x`, a conditional whose branches agree, the length of `[x, y]`.
"""

from collections.abc import Callable
from typing import Any

from preflight.sources.terraform.hcl.functions import FUNCTIONS
from preflight.sources.terraform.hcl.kinds import BOOL, NUMBER, STRING, Type
from preflight.sources.terraform.hcl.operations import (
    COMPARISONS,
    calculated,
    element,
    located,
    part_of,
    type_all_the_same,
)
from preflight.sources.terraform.hcl.scope import Scope
from preflight.sources.terraform.hcl.syntax import (
    ITEM,
    Attr,
    Binary,
    Broken,
    Call,
    Conditional,
    Elsewhere,
    Expr,
    For,
    Index,
    Literal,
    Name,
    ObjectOf,
    Splat,
    Template,
    TemplateFor,
    TemplateIf,
    TupleOf,
    Unary,
)
from preflight.sources.terraform.hcl.types import common, convert, type_of, typed
from preflight.sources.terraform.hcl.values import (
    Lazy,
    RefusedError,
    SetValue,
    UnsettledError,
    equal,
    items,
    plain,
    settled,
    to_bool,
    to_number,
    to_text,
    to_whole,
    unsettled_in,
)
from preflight.sources.terraform.resources import Unsettled


def evaluate(expr: Expr, scope: Scope) -> Any:
    """The value of an expression. Raises UnsettledError, RefusedError or ExhaustedError."""
    budget = scope.budget
    budget.spend(1)
    if budget.depth >= budget.limits.depth:
        raise UnsettledError(
            Unsettled(
                f"it hangs on more than {budget.limits.depth} values in a row, the limit here",
                place=scope.source.place(expr.at),
            )
        )
    budget.depth += 1
    try:
        return _MEANING[type(expr)](expr, scope)
    finally:
        budget.depth -= 1


def soft(expr: Expr, scope: Scope) -> Any:
    """The value of an expression, unsettled where it is. Raises RefusedError or ExhaustedError."""
    try:
        return evaluate(expr, scope)
    except UnsettledError as unknown:
        return unknown.unsettled


def outcome(expr: Expr, scope: Scope) -> Any:
    """The value of an expression, where nothing is left to catch a refusal: that is unsettled too."""
    try:
        return soft(expr, scope)
    except RefusedError as refusal:
        return refused(refusal, scope, expr.at)


def refused(refusal: RefusedError, scope: Scope, at: int) -> Unsettled:
    """What stands for a value that Terraform refuses to compute."""
    return Unsettled(f"Terraform refuses this expression: {refusal}", "correct the expression", scope.source.place(at))


def _literal(expr: Literal, _: Scope) -> object:
    return expr.value


def _broken(expr: Broken, scope: Scope) -> object:
    raise UnsettledError(Unsettled(expr.why, "correct the syntax", scope.source.place(expr.at)))


def _elsewhere(expr: Elsewhere, scope: Scope) -> object:
    return evaluate(expr.expr, scope.inside(expr.source))


def _name(expr: Name, scope: Scope) -> object:
    try:
        return scope.names[expr.name]
    except KeyError:
        pass
    if scope.surroundings is None:
        raise RefusedError(f'there is no variable named "{expr.name}"')
    return scope.surroundings.root(expr.name)


def _attr(expr: Attr, scope: Scope) -> object:
    of = evaluate(expr.of, scope)
    return located(element(of, expr.name), expr, scope)


def _index(expr: Index, scope: Scope) -> object:
    of, key = evaluate(expr.of, scope), settled(evaluate(expr.key, scope))
    if isinstance(of, SetValue):
        raise RefusedError("a set has no elements by index")
    if isinstance(of, list):
        index = to_whole(key)
        if not 0 <= index < len(of):
            raise RefusedError(f"there is no element {index} among {len(of)}")
        return of[index]
    if isinstance(of, Unsettled):
        raise UnsettledError(part_of(of, key))
    return located(element(of, to_text(key)), expr, scope)


def _splat(expr: Splat, scope: Scope) -> object:
    of = settled(evaluate(expr.of, scope))
    if of is None:
        return []
    elements = [value for _, value in items(of)] if isinstance(of, list) else [of]
    scope.budget.room(len(elements))
    return [soft(expr.each, scope.with_names({ITEM: element})) for element in elements]


def _template(expr: Template, scope: Scope) -> object:
    if expr.wrapped:
        return evaluate(expr.parts[0], scope)
    try:
        return scope.budget.text("".join([to_text(evaluate(part, scope)) for part in expr.parts]))
    except UnsettledError as unknown:
        scope.budget.doubts += 1
        return typed(plain(unknown.unsettled), STRING)


def _template_if(expr: TemplateIf, scope: Scope) -> object:
    return to_text(evaluate(expr.then if to_bool(evaluate(expr.condition, scope)) else expr.otherwise, scope))


def _template_for(expr: TemplateFor, scope: Scope) -> object:
    parts: list[str] = []
    for key, value in items(evaluate(expr.collection, scope)):
        names = {expr.value: value, expr.key: key} if expr.key else {expr.value: value}
        parts.append(to_text(evaluate(expr.body, scope.with_names(names))))
    return scope.budget.text("".join(parts))


def _unary(expr: Unary, scope: Scope) -> object:
    value = evaluate(expr.operand, scope)
    if isinstance(value, Unsettled):
        return typed(plain(value), BOOL if expr.operator == "!" else NUMBER)
    return not to_bool(value) if expr.operator == "!" else calculated("*", to_number(value), -1)


def _binary(expr: Binary, scope: Scope) -> object:
    operator = expr.operator
    if operator in {"&&", "||"}:
        return _logic(expr, scope)
    left, right = soft(expr.left, scope), soft(expr.right, scope)
    if operator in {"==", "!="}:
        same = equal(left, right)
        if isinstance(same, Unsettled):
            return typed(plain(same), BOOL)
        return same if operator == "==" else not same
    for side in (left, right):
        if isinstance(side, Unsettled):
            return typed(plain(side), BOOL if operator in COMPARISONS else NUMBER)
    one, other = to_number(left), to_number(right)
    if operator in COMPARISONS:
        return COMPARISONS[operator](one, other)
    try:
        return calculated(operator, one, other)
    except UnsettledError as unknown:
        return typed(unknown.unsettled, NUMBER)


def _logic(expr: Binary, scope: Scope) -> object:
    decides = expr.operator == "||"
    unknown: Unsettled | None = None
    decided = False
    for operand in (expr.left, expr.right):
        try:
            value = soft(operand, scope)
        except RefusedError:
            if not decided:
                raise
            scope.budget.doubts += 1  # Terraform from 1.12 on never looks; before, it refuses
            continue
        if isinstance(value, Unsettled):
            unknown = unknown or value
        elif to_bool(value) is decides:
            decided = True
    if decided or unknown is None:
        return decides if decided else not decides
    return typed(plain(unknown), BOOL)


def _conditional(expr: Conditional, scope: Scope) -> object:
    condition = soft(expr.condition, scope)
    if isinstance(condition, Unsettled):
        return _either(expr, condition, scope)
    chosen, other = (expr.then, expr.otherwise) if to_bool(condition) else (expr.otherwise, expr.then)
    value = evaluate(chosen, scope)
    if value is None or isinstance(value, Lazy | Unsettled):
        return value
    shared = common([type_of(value), _type_beside(other, scope)])
    if shared is None:
        raise RefusedError("the two results of the conditional have no type in common")
    return convert(value, shared)


def _type_beside(expr: Expr, scope: Scope) -> Type:
    """The type of the branch that isn't taken: the one that is taken is converted to what both have in common."""
    try:
        return type_of(soft(expr, scope))
    except RefusedError:
        known = type_all_the_same(expr)
    if known is None:
        raise UnsettledError(
            Unsettled("the type of a branch that Terraform refuses", place=scope.source.place(expr.at))
        )
    return known


def _either(expr: Conditional, condition: Unsettled, scope: Scope) -> object:
    """A conditional of which nobody knows the condition: settled if both branches come to the same."""
    branches = []
    for branch in (expr.then, expr.otherwise):
        try:
            branches.append(soft(branch, scope))
        except RefusedError:
            raise UnsettledError(plain(condition)) from None
    shared = common([type_of(branch) for branch in branches])
    if shared is None:
        raise RefusedError("the two results of the conditional have no type in common")
    if not any(unsettled_in(branch) for branch in branches):
        then, otherwise = (convert(branch, shared) for branch in branches)
        if equal(then, otherwise) is True:
            return then
    return typed(plain(condition), shared)


def _call(expr: Call, scope: Scope) -> object:
    if expr.name in _SPECIAL:
        return _SPECIAL[expr.name](expr, scope)
    function = FUNCTIONS.get(expr.name.removeprefix("core::"))
    if function is None:
        place = scope.source.place(expr.at)
        raise UnsettledError(Unsettled(f"the function {expr.name}() is not known here", "a plan", place))
    arguments = [soft(argument, scope) for argument in expr.arguments]
    if expr.spread and arguments:
        last = settled(arguments.pop())
        if not isinstance(last, list):
            raise RefusedError("only a list can be spread with ...")
        arguments += [value for _, value in items(last)]
    scope.budget.spend(sum(len(one) >> 4 for one in arguments if isinstance(one, str | list | dict)))
    try:
        return function.call(arguments, scope)
    except UnsettledError as unknown:
        scope.budget.doubts += 1
        return typed(plain(located(unknown.unsettled, expr, scope)), function.returns)


def _try(expr: Call, scope: Scope) -> object:
    last = RefusedError("try() has no argument that works")
    for argument in expr.arguments:
        doubts = scope.budget.doubts
        try:
            value = evaluate(argument, scope)
        except RefusedError as refusal:
            last = refusal
        else:
            return _undoubted(value, doubts, expr, scope)
    raise last


def _undoubted(value: object, doubts: int, expr: Call, scope: Scope) -> object:
    """The value, if nothing on the way to it was unsettled that Terraform may refuse."""
    if scope.budget.doubts == doubts or isinstance(value, Unsettled):
        return value
    place = scope.source.place(expr.at)
    raise UnsettledError(Unsettled("something is unsettled here that Terraform may refuse", place=place))


def _can(expr: Call, scope: Scope) -> object:
    if len(expr.arguments) != 1:
        raise RefusedError("can() takes one argument")
    doubts = scope.budget.doubts
    try:
        value = soft(expr.arguments[0], scope)
    except RefusedError:
        return False
    if unknown := unsettled_in(value):
        return typed(plain(unknown), BOOL)
    return _undoubted(True, doubts, expr, scope)


def _own_template(expr: Call, scope: Scope) -> object:
    """`templatefile()` and `templatestring()`: a template's text with its own variables, and no others."""
    from preflight.sources.terraform.hcl.functions.files import read_text, template_of  # it parses: loaded when met

    if len(expr.arguments) != 2:
        raise RefusedError(f"{expr.name}() takes a template and its variables")
    text = to_text(evaluate(expr.arguments[0], scope))
    if expr.name == "templatefile":
        text = read_text(scope, text)
    names = settled(evaluate(expr.arguments[1], scope))
    if not isinstance(names, dict):
        raise RefusedError("a template's variables are an object")
    template, source = template_of(text, scope)
    return evaluate(template, Scope(None, scope.budget, source, names))


def _tuple(expr: TupleOf, scope: Scope) -> object:
    return [soft(item, scope) for item in expr.items]


def _object(expr: ObjectOf, scope: Scope) -> object:
    result: dict[str, object] = {}
    for key, value in expr.items:
        result[to_text(evaluate(key, scope))] = soft(value, scope)
    return result


def _for(expr: For, scope: Scope) -> object:
    listed: list[object] = []
    keyed: dict[str, Any] = {}
    for key, value in items(evaluate(expr.collection, scope)):
        inner = scope.with_names({expr.value: value, expr.key: key} if expr.key else {expr.value: value})
        if expr.condition is not None and not to_bool(evaluate(expr.condition, inner)):
            continue
        if expr.result_key is None:
            listed.append(soft(expr.result, inner))
            continue
        name = to_text(evaluate(expr.result_key, inner))
        result = soft(expr.result, inner)
        if expr.grouped:
            keyed.setdefault(name, []).append(result)
        elif name in keyed:
            raise RefusedError(f'two elements have the key "{name}"')
        else:
            keyed[name] = result
    return listed if expr.result_key is None else keyed


_SPECIAL: dict[str, Callable[[Call, Scope], object]] = {
    "try": _try,
    "can": _can,
    "templatefile": _own_template,
    "templatestring": _own_template,
}

_MEANING: dict[type, Callable[[Any, Scope], Any]] = {
    Literal: _literal,
    Template: _template,
    TemplateIf: _template_if,
    TemplateFor: _template_for,
    Name: _name,
    Attr: _attr,
    Index: _index,
    Splat: _splat,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Call: _call,
    TupleOf: _tuple,
    ObjectOf: _object,
    For: _for,
    Broken: _broken,
    Elsewhere: _elsewhere,
}
