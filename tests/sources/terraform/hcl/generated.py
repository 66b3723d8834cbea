# ruff: noqa: E501, RUF012 (tables of expressions, one a line)
"""Makes configurations by chance, from a seed: expressions of known types over known, typed and unknown values.

Each expression is wrapped in `try(…, "refused")`, so that one which Terraform refuses ends no run and its refusal is
compared too.
"""

from random import Random

KNOWN = {
    "string": ['"a"', '"b-c"', '""', '"Ünï"', '"12"', '"true"', "local.text", "var.name", 'local.object.name', "var.settings.zone",
               "local.map.x", "local.list[1]", "null"],
    "number": ["0", "1", "7", "-3", "2.5", "1e1", "5E-1", "local.number", "var.size", "local.object.size", "var.settings.size", "length(local.list)"],
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
        self.random = Random(seed)  # noqa: S311 (nothing here is secret)
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
        made: str = self.random.choice(getattr(self, f"{kind}s_"))(self, depth - 1)
        return made

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
