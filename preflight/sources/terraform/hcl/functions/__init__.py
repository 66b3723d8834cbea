"""Terraform's built-in functions, by name; as developer.hashicorp.com/terraform/language/functions says.

Those that depend on time, chance or the machine (`timestamp`, `uuid`, `bcrypt`, `abspath`, …) are left out, and a
function that isn't here is unsettled.
"""

from preflight.sources.terraform.hcl.functions.collecting import COLLECTING
from preflight.sources.terraform.hcl.functions.encoding import ENCODING
from preflight.sources.terraform.hcl.functions.files import FILES
from preflight.sources.terraform.hcl.functions.mathematics import MATHEMATICS
from preflight.sources.terraform.hcl.functions.sets import SETS
from preflight.sources.terraform.hcl.functions.texts import TEXTS

FUNCTIONS = {**TEXTS, **COLLECTING, **SETS, **MATHEMATICS, **ENCODING, **FILES}
