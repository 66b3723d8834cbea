"""`data.google_iam_policy`: the policy that its blocks make, as the JSON that `policy_data` holds."""

import msgspec

from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics.values import Values, blocks, condition, text, texts


def policy_document(values: Values) -> str | Unsettled:
    """The `policy_data` of a data source with these arguments; Unsettled where any part of it is."""
    written = text(values, "policy_data")
    if isinstance(written, str):
        return written
    found = blocks(values, "binding")
    if isinstance(found, Unsettled):
        return found
    bindings: list[dict[str, object]] = []
    for one in found:
        if isinstance(one, Unsettled):
            return one
        role, members, only_if = text(one, "role"), texts(one, "members"), condition(one)
        for part in (role, members, only_if, *(members if isinstance(members, list) else ())):
            if isinstance(part, Unsettled):
                return part
        if role is None:
            return Unsettled("a binding of google_iam_policy names no role")
        binding: dict[str, object] = {"role": role, "members": members}
        if only_if is not None and not isinstance(only_if, Unsettled):
            binding["condition"] = {"expression": only_if.expression, "title": only_if.title}
        bindings.append(binding)
    return msgspec.json.encode({"bindings": bindings}).decode()
