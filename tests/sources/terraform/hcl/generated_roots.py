# ruff: noqa: E501 (texts of Terraform)
"""Makes the other parts of generated roots: typed variables, instances, modules."""

import json
from random import Random

from tests.sources.terraform.hcl.generated import Expressions

TYPES = ["string", "number", "bool", "any"]


def variable_case(seed: int) -> tuple[str, str]:
    """A variable's type with a value that fits it, in Terraform's sense: the type's text and the value's."""
    random = Random(seed)  # noqa: S311 (nothing here is secret)

    def pick(depth: int) -> tuple[str, str]:
        shape = random.choice(["scalar", "list", "set", "map", "object", "object", "tuple"]) if depth else "scalar"
        if shape == "scalar":
            kind = random.choice(TYPES)
            texts = (
                ["1", '"2"'] if kind == "number" else ["true", '"false"'] if kind == "bool" else ['"t"', "5", "true"]
            )
            return kind, random.choice([*texts, "null"] if random.random() < 0.3 else texts)
        kind, value = pick(depth - 1)
        if shape in {"list", "set"}:
            return f"{shape}({kind})", f"[{', '.join([value] * random.choice([0, 1, 2]))}]"
        if shape == "map":
            return f"map({kind})", f"{{ {', '.join(f'k{at} = {value}' for at in range(random.choice([0, 1, 2])))} }}"
        if shape == "tuple":
            return f"tuple([{kind}, string])", f"[{value}, 3]"
        attributes: list[str] = []
        given: list[str] = []
        for at in range(random.choice([1, 2, 3])):
            kind, value = pick(depth - 1)
            form = random.choice(["required", "optional", "default", "default"])
            if form == "required":
                attributes.append(f"a{at} = {kind}")
                given.append(f"a{at} = {value}")
                continue
            default = f", {value}" if form == "default" and value != "null" else ""
            attributes.append(f"a{at} = optional({kind}{default})")
            if random.random() < 0.4:
                given.append(f"a{at} = {random.choice([value, 'null'])}")
        if random.random() < 0.3:
            given.append("unasked = 1")
        return f"object({{ {', '.join(attributes)} }})", f"{{ {', '.join(given)} }}"

    return pick(3)


def variable_cases(seed: int, count: int) -> tuple[str, str]:
    """A root's text with variables of many types, and a `.tfvars` that gives half of them; the others have defaults."""
    blocks: list[str] = []
    given: list[str] = []
    for number in range(count):
        kind, value = variable_case(seed * 1_009 + number)
        name = f"v{number:03d}"
        default = f"\n  default  = {value}" if number % 2 else ""
        nullable = "\n  nullable = false" if number % 3 == 0 and value != "null" else ""
        blocks.append(f'variable "{name}" {{\n  type     = {kind}{default}{nullable}\n}}')
        blocks.append(f'resource "terraform_data" "{name}" {{\n  input = {{ v = var.{name} }}\n}}')
        if not number % 2:
            given.append(f"{name} = {value}")
    return "\n".join(blocks), "\n".join(given)


def instance_cases(seed: int, count: int) -> str:
    """Resources with `for_each` or `count`, and others that look at them."""
    blocks: list[str] = []
    for number in range(count):
        maker = Expressions(seed * 7_919 + number, doubt=0.0)
        name = f"f{number:03d}"
        if number % 3 == 0:
            how = f"count = try(min(3, max(0, floor({maker.of('number', 2)}))), 1)"
            value = f'{{ at = count.index, v = try({maker.of("string", 2)}, "refused") }}'
        elif number % 3 == 1:
            how = f'for_each = try(toset([for x in {maker.of("list", 2)} : tostring(x) if x != null]), toset(["refused"]))'
            value = f'{{ key = each.key, value = each.value, v = try({maker.of("map", 2)}, "refused") }}'
        else:
            how = f"for_each = try({{ for k, v in {maker.of('map', 2)} : k => v }}, {{}})"
            value = "{ key = each.key, v = each.value }"
        blocks.append(f'resource "terraform_data" "{name}" {{\n  {how}\n  input = {value}\n}}')
        look = {
            0: f"{{ n = length(terraform_data.{name}), v = terraform_data.{name}[*].input }}",
            1: f"{{ k = keys(terraform_data.{name}), v = [for k, x in terraform_data.{name} : x.input.v] }}",
            2: f"{{ k = keys(terraform_data.{name}), v = try(values(terraform_data.{name})[0].input, null) }}",
        }[number % 3]
        blocks.append(f'resource "terraform_data" "{name}_seen" {{\n  input = {look}\n}}')
    return "\n".join(blocks)


def change_cases(seed: int, count: int) -> str:
    """Resources with what says how they change, which is none of what they become: a first plan makes them all."""
    blocks: list[str] = []
    for number in range(count):
        maker = Expressions(seed * 4_001 + number, doubt=0.1)
        name = f"c{number:03d}"
        lifecycle = [
            "create_before_destroy = true",
            "prevent_destroy = true",
            "ignore_changes = [input]",
            f"replace_triggered_by = [terraform_data.c{max(number - 1, 0):03d}_with]",
        ][number % 4]
        blocks.append(f'resource "terraform_data" "{name}_with" {{\n  input = {number}\n}}')
        blocks.append(
            f'resource "terraform_data" "{name}" {{\n  input            = {{ v = try({maker.of("string", 2)}, "refused") }}\n'
            f"  triggers_replace = [try({maker.of('number', 1)}, 0), terraform_data.{name}_with.id]\n"
            f"  lifecycle {{\n    {lifecycle}\n  }}\n}}"
        )
        blocks.append(f"moved {{\n  from = terraform_data.{name}_before\n  to   = terraform_data.{name}\n}}")
        blocks.append(
            f"removed {{\n  from = terraform_data.{name}_gone\n  lifecycle {{\n    destroy = {json.dumps(number % 2 == 0)}\n  }}\n}}"
        )
    return "\n".join(blocks)


def module_cases(seed: int, count: int) -> tuple[str, dict[str, str]]:
    """Module calls in a root's text, and the modules' files by path."""
    calls: list[str] = []
    files: dict[str, str] = {}
    for number in range(count):
        maker = Expressions(seed * 6_007 + number, doubt=0.1)
        name = f"m{number:03d}"
        how = ["", "count = 2", 'for_each = { a = "1", b = "2" }', "count = var.flag ? 1 : 0"][number % 4]
        each = ["0", "count.index", "each.value", "count.index"][number % 4]
        calls.append(
            f'module "{name}" {{\n  source = "./modules/{name}"\n  {how}\n  text = try(tostring({maker.of("string", 2)}), "refused")\n'
            f"  things = try([for o in {maker.of('objects', 2)} : {{ name = o.name, size = o.size }}], [])\n  at = {each}\n}}"
        )
        look = f"module.{name}" + ["", "[*]", '["a"]', "[0]"][number % 4]
        calls.append(f'resource "terraform_data" "{name}" {{\n  input = {{ v = {look}.all, t = {look}.text }}\n}}')
        files[f"modules/{name}/main.tf"] = f"""
variable "text" {{
  type     = string
  default  = "module-default"
  nullable = {json.dumps(number % 2 == 0)}
}}
variable "things" {{
  type = list(object({{ name = optional(string, "nameless"), size = optional(number) }}))
}}
variable "at" {{ type = number }}
locals {{
  named = {{ for thing in var.things : coalesce(thing.name, "none") => thing.size... }}
  text  = var.text == null ? "was-null" : "${{var.text}}-${{var.at}}"
}}
resource "terraform_data" "in" {{
  for_each = toset(["p", "q"])
  input    = {{ text = local.text, each = each.value, at = var.at }}
}}
output "text" {{ value = local.text }}
output "all" {{ value = {{ named = local.named, first = try(var.things[0].name, "nobody"), in = terraform_data.in["p"].input }} }}
"""
    return "\n".join(calls), files
