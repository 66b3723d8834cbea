"""Makes configurations by chance, from a seed: expressions of known types over known, typed and unknown values.

Each expression is wrapped in `try(…, "refused")`, so that one which Terraform refuses ends no run and its refusal is
compared too.
"""

import json
from random import Random

KNOWN = {
    "string": ['"a"', '"b-c"', '""', '"Ünï"', '"12"', '"true"', "local.text", "var.name", 'local.object.name', "var.settings.zone",
               "local.map.x", "local.list[1]", "null"],
    "number": ["0", "1", "7", "-3", "2.5", "local.number", "var.size", "local.object.size", "var.settings.size", "length(local.list)"],
    "bool": ["true", "false", "local.yes", "var.flag", "var.settings.on", "local.list == []", "local.object.size > 2"],
    "list": ["[]", '["a", "b"]', "local.list", "var.names", 'tolist(["x", "y", "x"])', "keys(local.map)", "var.settings.tags",
             "local.objects[*].name", '["a", 1]'],
    "set": ['toset(["b", "a"])', "toset(local.list)", "toset([])", "var.set"],
    "map": ["{}", '{ x = "1", y = "2" }', "local.map", "var.labels", "tomap({ a = \"b\" })", "local.object"],
    "objects": ["local.objects", "[]", "var.people", '[{ name = "z", size = 9 }]'],
}  # fmt: skip
UNKNOWN = {
    "string": ["terraform_data.u.id", "local.unknown", "local.half.id", "local.half_list[1]"],
    "number": ["tonumber(terraform_data.n.output)", "length(terraform_data.u.output)"],
    "bool": ['terraform_data.u.id == "x"', "terraform_data.b.output"],
    "list": ["[terraform_data.u.id, \"k\"]", "local.half_list", "split(\"-\", terraform_data.u.id)", "tolist([terraform_data.u.id])"],
    "set": ["toset([terraform_data.u.id, \"a\"])"],
    "map": ["local.half", "{ id = terraform_data.u.id }", "tomap({ id = terraform_data.u.id, k = \"v\" })"],
    "objects": ["[{ name = terraform_data.u.id, size = 1 }]", "local.half_objects"],
}  # fmt: skip

COMMON = """
terraform {
  required_version = ">= 1.4"
}
resource "terraform_data" "u" { input = "text" }
resource "terraform_data" "n" { input = 4 }
resource "terraform_data" "b" { input = true }
variable "name" { default = "from-default" }
variable "size" {
  type    = number
  default = "4"
}
variable "flag" {
  type    = bool
  default = "true"
}
variable "names" {
  type    = list(string)
  default = ["n1", 2, true]
}
variable "set" {
  type    = set(string)
  default = ["s2", "s1", "s2"]
}
variable "labels" {
  type    = map(string)
  default = { team = "data", n = 5 }
}
variable "settings" {
  type = object({
    zone = optional(string, "eu")
    size = optional(number, 3)
    on   = optional(bool, false)
    tags = optional(list(string), ["t"])
    none = optional(string)
  })
  default = { size = "8", extra = 1 }
}
variable "people" {
  type    = list(object({ name = string, size = optional(number, 1) }))
  default = [{ name = "ann" }, { name = "bob", size = 2 }]
}
locals {
  text         = "te${"x"}t"
  number       = 5
  yes          = !false
  list         = ["l1", "l2", "l3"]
  map          = { x = "ex", y = "why" }
  object       = { name = "obj", size = 3 }
  objects      = [{ name = "o1", size = 1 }, { name = "o2", size = 2 }]
  unknown      = "u-${terraform_data.u.id}"
  half         = { id = terraform_data.u.id, known = "k" }
  half_list    = ["h0", terraform_data.u.id, "h2"]
  half_objects = [{ name = "h", size = 1 }, { name = terraform_data.u.id, size = 2 }]
}
"""


class Expressions:
    """Writes expressions; `doubt` is how often one of its leaves is unknown."""

    def __init__(self, seed: int, doubt: float) -> None:
        self.random = Random(seed)
        self.doubt = doubt
        self.names: dict[str, list[str]] = {}

    def of(self, kind: str, depth: int) -> str:
        """An expression of a kind."""
        if depth <= 0 or self.random.random() < 0.15:
            if self.names.get(kind) and self.random.random() < 0.6:
                return self.random.choice(self.names[kind])
            return self.random.choice((UNKNOWN if self.random.random() < self.doubt else KNOWN)[kind])
        if self.random.random() < 0.22:
            return self.common(kind, depth - 1)
        return self.random.choice(getattr(self, f"{kind}s_"))(self, depth - 1)

    def common(self, kind: str, depth: int) -> str:
        """A form that any kind has."""
        one, other = self.of(kind, depth), self.of(kind, depth)
        odd = self.of(self.random.choice(list(KNOWN)), depth)
        return self.random.choice([
            f"({self.of('bool', depth)} ? {one} : {other})",
            f"(var.flag ? {one} : {other})",
            f"try([{odd}][0].nothing, {one})",
            f"try({one}, {other})",
            f"coalesce({one}, {other})" if kind in {"string", "number", "bool"} else one,
            f"[{one}, {other}][{self.random.choice(['0', '1', 'local.number - 4'])}]",
            f"{{ a = {one}, b = {odd} }}.a",
            f"lookup({{ a = {one} }}, {self.key()}, {other})",
            f"(local.yes ? {KNOWN[kind][0]} : {odd})",
            f"one([{one}])",
        ])  # fmt: skip

    def key(self) -> str:
        """A key that some maps have."""
        return self.random.choice(['"a"', '"b"', '"x"', '"id"', '"team"'])

    def written(self, kind: str, depth: int) -> str:
        """An expression of a kind as text, which is refused where it is null."""
        return f'"${{{self.of(kind, depth)}}}${{""}}"'

    def separator(self) -> str:
        """What texts are joined with."""
        return self.random.choice(['","', '""'])

    def within(self, kind: str, name: str, depth: int) -> str:
        """An expression that may use one more name."""
        self.names.setdefault(kind, []).append(name)
        inner = self.of(kind, depth)
        self.names[kind].pop()
        return inner

    def loop(self, depth: int) -> str:
        """A `for` that makes a list of texts."""
        over = self.random.choice(["list", "map", "objects", "set"])
        value = "v.name" if over == "objects" else "v"
        condition = self.random.choice(["", f' if {value} != "a"', " if v != null", f" if {self.of('bool', 0)}"])
        return f"[for k, v in {self.of(over, depth)} : {self.within('string', value, 1)}{condition}]"

    def table(self, depth: int) -> str:
        """A `for` that makes an object."""
        over = self.random.choice(["list", "map", "set"])
        group = self.random.choice(["", "", "..."])
        return f'{{ for k, v in {self.of(over, depth)} : "${{k}}-x" => {self.within("string", "v", 1)}{group} }}'

    strings_ = [
        lambda s, d: f'"p-${{{s.of("string", d)}}}-${{{s.of("number", d)}}}"',
        lambda s, d: f'"%{{ if {s.of("bool", d)} }}yes%{{ else }}no%{{ endif }}!"',
        lambda s, d: f'"%{{ for x in {s.of("list", d)} ~}} ${{x}}, %{{ endfor }}"',
        lambda s, d: f"upper({s.of('string', d)})",
        lambda s, d: f"lower({s.of('string', d)})",
        lambda s, d: f"join({s.separator()}, {s.of(s.random.choice(['list', 'set']), d)})",
        lambda s, d: f"replace({s.of('string', d)}, \"a\", {s.of('string', d)})",
        lambda s, d: f'replace({s.of("string", d)}, "/([a-z])(.)/", "$2-$1")',
        lambda s, d: f"trimprefix({s.of('string', d)}, \"p-\")",
        lambda s, d: f"trimsuffix({s.of('string', d)}, {s.of('string', 0)})",
        lambda s, d: f"trim({s.of('string', d)}, \"a-\")",
        lambda s, d: f"trimspace(\" ${{{s.of('string', d)}}} \")",
        lambda s, d: f"substr({s.of('string', d)}, {s.random.choice([0, 1, -1, -2])}, {s.random.choice([-1, 1, 2])})",
        lambda s, d: f'format("%s/%d/%v", {s.written("string", d)}, {s.of("number", d)}, {s.of(s.random.choice(list(KNOWN)), d)})',
        lambda s, d: f'format("%5s|%-4s|%03d|%t|%q", {s.written("string", d)}, "x", length({s.of("list", d)}), {s.of("bool", d)}, "q\\"")',
        lambda s, d: f"jsonencode({s.of(s.random.choice(list(KNOWN)), d)})",
        lambda s, d: f"tostring({s.written(s.random.choice(['number', 'bool', 'string']), d)})",
        lambda s, d: f"element({s.of('list', d)}, {s.random.choice([0, 1, 5])})",
        lambda s, d: f"{s.of('list', d)}[{s.random.choice([0, 1, 5])}]",
        lambda s, d: f"{s.of('map', d)}[{s.key()}]",
        lambda s, d: f"lookup({s.of('map', d)}, {s.of('string', d)}, {s.of('string', d)})",
        lambda s, d: f"one({s.of('set', d)})",
        lambda s, d: f"regex(\"[a-z]+\", {s.of('string', d)})",
        lambda s, d: f"base64encode({s.of('string', d)})",
        lambda s, d: f"sha256({s.of('string', d)})",
        lambda s, d: f"md5({s.of('string', d)})",
        lambda s, d: f"urlencode({s.of('string', d)})",
        lambda s, d: f"strrev({s.of('string', d)})",
        lambda s, d: f"title({s.of('string', d)})",
        lambda s, d: f"indent(2, \"a\\n${{{s.of('string', d)}}}\")",
        lambda s, d: f"basename(\"x/${{{s.of('string', d)}}}\")",
        lambda s, d: f"dirname(\"x/${{{s.of('string', d)}}}\")",
        lambda s, d: f'yamldecode("a: ${{{s.of("number", d)}}}\\nb: [x, ${{{s.of("bool", d)}}}]").b[0]',
        lambda s, d: f"chomp({s.of('string', d)})",
    ]  # fmt: skip
    numbers_ = [
        lambda s, d: f"({s.of('number', d)} {s.random.choice('+-*')} {s.of('number', d)})",
        lambda s, d: f"({s.of('number', d)} {s.random.choice('/%')} {s.random.choice([2, 3, -4])})",
        lambda s, d: f"-{s.of('number', d)}",
        lambda s, d: f"length({s.of(s.random.choice(['list', 'map', 'set', 'objects', 'string']), d)})",
        lambda s, d: f"{s.random.choice(['max', 'min'])}({s.of('number', d)}, {s.of('number', d)})",
        lambda s, d: f"{s.random.choice(['abs', 'floor', 'ceil'])}({s.of('number', d)})",
        lambda s, d: f"tonumber({s.written('string', d)})",
        lambda s, d: f"sum([{s.of('number', d)}, {s.of('number', d)}])",
        lambda s, d: f"index({s.of('list', d)}, \"a\")",
        lambda s, d: f"{s.of('objects', d)}[0].size",
        lambda s, d: f"parseint(\"{s.random.choice(['ff', '12', 'zz'])}\", {s.random.choice([10, 16])})",
        lambda s, d: f"pow({s.random.choice([2, 3])}, length({s.of('list', d)}))",
        lambda s, d: f"signum(length({s.of('list', d)}))",
    ]  # fmt: skip
    bools_ = [
        lambda s, d: f"({s.of('bool', d)} {s.random.choice(['&&', '||'])} {s.of('bool', d)})",
        lambda s, d: f"!{s.of('bool', d)}",
        lambda s, d: f"({s.of('string', d)} {s.random.choice(['==', '!='])} {s.of('string', d)})",
        lambda s, d: f"({s.of('number', d)} {s.random.choice(['<', '>', '<=', '>=', '=='])} {s.of('number', d)})",
        lambda s, d: f"({s.of('list', d)} == {s.of('list', d)})",
        lambda s, d: f"({s.of('map', d)} == {s.of('map', d)})",
        lambda s, d: f"({s.of('set', d)} == {s.of('set', d)})",
        lambda s, d: f"contains({s.of(s.random.choice(['list', 'set']), d)}, {s.of('string', d)})",
        lambda s, d: f"can([{s.of('map', d)}][0].x)",
        lambda s, d: f"can(regex(\"^[a-z-]+$\", {s.of('string', d)}))",
        lambda s, d: f"{s.random.choice(['startswith', 'endswith', 'strcontains'])}({s.of('string', d)}, {s.of('string', 0)})",
        lambda s, d: f"{s.random.choice(['alltrue', 'anytrue'])}([{s.of('bool', d)}, {s.of('bool', d)}])",
        lambda s, d: f"({s.of(s.random.choice(list(KNOWN)), d)} == null)",
        lambda s, d: f"tobool({s.written('string', d)})",
    ]  # fmt: skip
    lists_ = [
        lambda s, d: f"[{s.of('string', d)}, {s.of('string', d)}]",
        lambda s, d: f"concat({s.of('list', d)}, {s.of('list', d)})",
        lambda s, d: f"flatten([{s.of('list', d)}, [{s.of('list', d)}]])",
        lambda s, d: f"distinct({s.of('list', d)})",
        lambda s, d: f"compact({s.of('list', d)})",
        lambda s, d: f"reverse({s.of('list', d)})",
        lambda s, d: f"sort({s.of('list', d)})",
        lambda s, d: f"slice({s.of('list', d)}, 0, {s.random.choice([0, 1, 2])})",
        lambda s, d: f"split(\"-\", {s.of('string', d)})",
        lambda s, d: f"keys({s.of('map', d)})",
        lambda s, d: f"values({s.of('map', d)})",
        lambda s, d: f"tolist({s.of('set', d)})",
        lambda s, d: f"{s.of('objects', d)}[*].name",
        lambda s, d: f"{s.of('string', d)}[*]",
        lambda s, d: f"regexall(\"[a-z]\", {s.of('string', d)})",
        lambda s, d: f"formatlist(\"%s-%s\", {s.of('list', d)}, \"x\")",
        lambda s, d: f"range(length({s.of('list', d)}))",
        lambda s, d: f"coalescelist({s.of('list', d)}, {s.of('list', d)})",
        lambda s, d: f"chunklist({s.of('list', d)}, 2)[0]",
        lambda s, d: f"matchkeys({s.of('list', d)}, {s.of('list', d)}, [\"a\"])",
        lambda s, d: s.loop(d),
        lambda s, d: s.loop(d),
    ]  # fmt: skip
    sets_ = [
        lambda s, d: f"toset({s.of('list', d)})",
        lambda s, d: f"{s.random.choice(['setunion', 'setintersection'])}({s.of('set', d)}, {s.of('set', d)})",
        lambda s, d: f"setsubtract({s.of('set', d)}, {s.of('set', d)})",
        lambda s, d: f"toset(keys({s.of('map', d)}))",
    ]  # fmt: skip
    maps_ = [
        lambda s, d: f"{{ x = {s.of('string', d)}, (var.name) = {s.of('string', d)} }}",
        lambda s, d: f"merge({s.of('map', d)}, {s.of('map', d)})",
        lambda s, d: f"zipmap({s.of('list', d)}, {s.of('list', d)})",
        lambda s, d: f"tomap({s.of('map', d)})",
        lambda s, d: f"jsondecode(jsonencode({s.of('map', d)}))",
        lambda s, d: f"yamldecode(jsonencode({s.of('map', d)}))",
        lambda s, d: s.table(d),
        lambda s, d: s.table(d),
    ]  # fmt: skip
    objectss_ = [
        lambda s, d: f"[{{ name = {s.of('string', d)}, size = {s.of('number', d)} }}]",
        lambda s, d: f"concat({s.of('objects', d)}, {s.of('objects', d)})",
        lambda s, d: f"[for o in {s.of('objects', d)} : merge(o, {{ name = {s.of('string', d)} }})]",
        lambda s, d: f"[for o in {s.of('objects', d)} : o if o.size > 1]",
    ]  # fmt: skip


def expression_cases(seed: int, count: int) -> dict[str, str]:
    """Resources by name: `input` is an expression."""
    found: dict[str, str] = {}
    for number in range(count):
        maker = Expressions(seed * 100_003 + number, doubt=(0.0, 0.1, 0.35)[number % 3])
        kind = maker.random.choice(list(KNOWN))
        expression = maker.of(kind, 1 + number % 4)
        found[f"e{number:04d}"] = f'input = {{ v = try({expression}, "refused") }}'
    return found


TYPES = ["string", "number", "bool", "any"]


def variable_case(seed: int) -> tuple[str, str]:
    """A variable's type with a value that fits it, in Terraform's sense: the type's text and the value's."""
    random = Random(seed)

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
