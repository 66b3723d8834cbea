"""The public face of preflight for authors of rules: everything that a rule may import."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preflight.access.decision import Denial as Denial
    from preflight.access.decision import Link as Link
    from preflight.access.effective import Answer as Answer
    from preflight.access.effective import Decision as Decision
    from preflight.access.effective import EffectiveAccess as EffectiveAccess
    from preflight.access.effective import Grant as Grant
    from preflight.access.formula import OpenFact as OpenFact
    from preflight.access.org_policies import allows as allows
    from preflight.access.org_policies import unclear as unclear
    from preflight.access.path import paths as paths
    from preflight.access.wording import because as because
    from preflight.access.wording import open_points as open_points
    from preflight.access.wording import said_at as said_at
    from preflight.engine import Unseen as Unseen
    from preflight.facts.access_path import AccessPath as AccessPath
    from preflight.facts.caller import CallerIdentity as CallerIdentity
    from preflight.facts.caller import CallerPermissions as CallerPermissions
    from preflight.facts.dataset import AccessEntry as AccessEntry
    from preflight.facts.dataset import Dataset as Dataset
    from preflight.facts.dataset import Datasets as Datasets
    from preflight.facts.dataset import DatasetSettings as DatasetSettings
    from preflight.facts.deny import AttachedDenyPolicies as AttachedDenyPolicies
    from preflight.facts.deny import DenyPolicies as DenyPolicies
    from preflight.facts.deny import DenyPolicy as DenyPolicy
    from preflight.facts.deny import DenyRule as DenyRule
    from preflight.facts.groups import Group as Group
    from preflight.facts.groups import Groups as Groups
    from preflight.facts.iam_resources import IamResource as IamResource
    from preflight.facts.iam_resources import IamResources as IamResources
    from preflight.facts.locations import location_matches as location_matches
    from preflight.facts.methods import QUOTA_PROJECT_PERMISSION as QUOTA_PROJECT_PERMISSION
    from preflight.facts.methods import role_for as role_for
    from preflight.facts.organization import Organization as Organization
    from preflight.facts.organization import OrgPolicies as OrgPolicies
    from preflight.facts.organization import OrgPolicy as OrgPolicy
    from preflight.facts.organization import PolicyRule as PolicyRule
    from preflight.facts.organization import Tags as Tags
    from preflight.facts.policy import AllowPolicies as AllowPolicies
    from preflight.facts.policy import AllowPolicy as AllowPolicy
    from preflight.facts.policy import Binding as Binding
    from preflight.facts.policy import Condition as Condition
    from preflight.facts.policy import PossibleBinding as PossibleBinding
    from preflight.facts.policy import Role as Role
    from preflight.facts.policy import Roles as Roles
    from preflight.facts.project import Ancestry as Ancestry
    from preflight.facts.project import Billing as Billing
    from preflight.facts.project import Project as Project
    from preflight.facts.project import Service as Service
    from preflight.facts.project import Services as Services
    from preflight.facts.project import ServiceState as ServiceState
    from preflight.facts.second_opinion import SecondOpinion as SecondOpinion
    from preflight.facts.second_opinion import SecondOpinions as SecondOpinions
    from preflight.facts.second_opinion import Troubleshot as Troubleshot
    from preflight.facts.seen import COMPLETE as COMPLETE
    from preflight.facts.seen import ApiDisabled as ApiDisabled
    from preflight.facts.seen import Completeness as Completeness
    from preflight.facts.seen import Denied as Denied
    from preflight.facts.seen import Evidence as Evidence
    from preflight.facts.seen import Incomplete as Incomplete
    from preflight.facts.seen import Internal as Internal
    from preflight.facts.seen import Malformed as Malformed
    from preflight.facts.seen import Maybe as Maybe
    from preflight.facts.seen import NotCollected as NotCollected
    from preflight.facts.seen import NotFound as NotFound
    from preflight.facts.seen import PerimeterBlocked as PerimeterBlocked
    from preflight.facts.seen import Provenance as Provenance
    from preflight.facts.seen import QuotaExceeded as QuotaExceeded
    from preflight.facts.seen import Reason as Reason
    from preflight.facts.seen import TimedOut as TimedOut
    from preflight.facts.seen import Unauthenticated as Unauthenticated
    from preflight.facts.seen import Unavailable as Unavailable
    from preflight.facts.seen import Unknown as Unknown
    from preflight.facts.seen import Unresolved as Unresolved
    from preflight.facts.snapshot import Gap as Gap
    from preflight.facts.snapshot import Snapshot as Snapshot
    from preflight.facts.snapshot import Target as Target
    from preflight.facts.synced import Synced as Synced
    from preflight.facts.synced import SyncedDataset as SyncedDataset
    from preflight.facts.tables import TableList as TableList
    from preflight.facts.tables import Tables as Tables
    from preflight.profile import LocationClass as LocationClass
    from preflight.profile import Profile as Profile
    from preflight.remedies import add_binding as add_binding
    from preflight.remedies import console as console
    from preflight.remedies import console_on as console_on
    from preflight.remedies import dataset_page as dataset_page
    from preflight.remedies import grant_by_custom_role as grant_by_custom_role
    from preflight.remedies import grant_on_dataset as grant_on_dataset
    from preflight.remedies import grant_role as grant_role
    from preflight.remedies import hcl as hcl
    from preflight.remedies import hcl_block as hcl_block
    from preflight.remedies import hcl_list as hcl_list
    from preflight.remedies import label_of as label_of
    from preflight.remedies import let_value as let_value
    from preflight.remedies import make_exceptions as make_exceptions
    from preflight.remedies import make_role as make_role
    from preflight.remedies import org_policy_block as org_policy_block
    from preflight.remedies import org_policy_page as org_policy_page
    from preflight.remedies import project_member as project_member
    from preflight.remedies import remove_binding as remove_binding
    from preflight.remedies import revoke_on_dataset as revoke_on_dataset
    from preflight.remedies import settling as settling
    from preflight.remedies import shell as shell
    from preflight.remedies import show_org_policy as show_org_policy
    from preflight.report import Remedy as Remedy
    from preflight.report import Severity as Severity
    from preflight.report import Status as Status
    from preflight.report import Verdict as Verdict
    from preflight.report import failed as failed
    from preflight.report import passed as passed
    from preflight.report import skipped as skipped
    from preflight.report import unknown as unknown
    from preflight.report import warned as warned
    from preflight.rulebook import rule as rule

_HOME = {
    "preflight.facts.second_opinion": "SecondOpinion SecondOpinions Troubleshot",
    "preflight.facts.organization": "Organization OrgPolicies OrgPolicy PolicyRule Tags",
    "preflight.facts.groups": "Group Groups",
    "preflight.facts.deny": "AttachedDenyPolicies DenyPolicies DenyPolicy DenyRule",
    "preflight.access.decision": "Denial Link",
    "preflight.access.effective": "Answer Decision EffectiveAccess Grant",
    "preflight.access.formula": "OpenFact",
    "preflight.access.org_policies": "allows unclear",
    "preflight.access.path": "paths",
    "preflight.access.wording": "because open_points said_at",
    "preflight.facts.locations": "location_matches",
    "preflight.engine": "Unseen",
    "preflight.facts.access_path": "AccessPath",
    "preflight.facts.caller": "CallerIdentity CallerPermissions",
    "preflight.facts.dataset": "AccessEntry Dataset Datasets DatasetSettings",
    "preflight.facts.methods": "QUOTA_PROJECT_PERMISSION role_for",
    "preflight.facts.iam_resources": "IamResource IamResources",
    "preflight.facts.policy": "AllowPolicies AllowPolicy Binding Condition PossibleBinding Role Roles",
    "preflight.facts.project": "Ancestry Billing Project Service ServiceState Services",
    "preflight.facts.seen": (
        "COMPLETE ApiDisabled Completeness Denied Evidence Incomplete Internal Malformed Maybe NotCollected NotFound "
        "PerimeterBlocked Provenance QuotaExceeded Reason TimedOut Unauthenticated Unavailable Unknown Unresolved"
    ),
    "preflight.facts.snapshot": "Gap Snapshot Target",
    "preflight.facts.synced": "SyncedDataset Synced",
    "preflight.facts.tables": "TableList Tables",
    "preflight.profile": "LocationClass Profile",
    "preflight.remedies": (
        "add_binding console console_on dataset_page grant_by_custom_role grant_on_dataset grant_role hcl hcl_block "
        "hcl_list label_of let_value make_exceptions make_role org_policy_block org_policy_page project_member "
        "remove_binding revoke_on_dataset settling shell show_org_policy"
    ),
    "preflight.report": "Remedy Severity Status Verdict failed passed skipped unknown warned",
    "preflight.rulebook": "rule",
    "preflight.version": "__version__",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used (PEP 562), so that `import preflight` costs nothing."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'preflight' has no attribute '{name}'")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value
