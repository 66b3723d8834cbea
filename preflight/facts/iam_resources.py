"""Which resources of an infrastructure repository manage which grants: two that don't know of each other fight."""

from typing import Literal

from msgspec import Struct

from preflight.facts.project import Fact
from preflight.facts.seen import COMPLETE, Completeness, Evidence, Provenance


class IamResource(Struct, frozen=True, kw_only=True):
    """One resource that manages grants on something."""

    address: str
    """Its name in the repository."""
    provenance: Provenance
    manner: Literal["policy", "binding", "member"]
    """It sets the whole policy, all members of a role, or one grant."""
    role: str = ""
    """Empty for a whole policy, and where it isn't known."""
    condition: str = ""
    """The expression that the grant hangs on."""

    def seen(self) -> Evidence:
        """It as evidence."""
        what = {
            "policy": "the whole policy",
            "binding": f"all who have {self.role}",
            "member": f"a grant of {self.role}",
        }
        under = f" on the condition {self.condition}" if self.condition else ""
        return self.provenance.saw(f"{self.address} manages {what[self.manner]}{under}")


class IamResources(Fact, frozen=True, kw_only=True, tag="iam_resources"):
    """By what they manage: `projects/ID`, `folders/N`, `organizations/N`, `projects/ID/datasets/NAME`."""

    resources: dict[str, tuple[IamResource, ...]]
    completeness: Completeness = COMPLETE
    """A gap: there may be others that could not be read."""
