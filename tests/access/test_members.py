"""Whether a member of a binding is the principal, for each kind of member that Google documents."""

import pytest

from preflight.access.effective import may_cover
from preflight.access.formula import OpenFact
from preflight.access.likeness import likeness
from preflight.access.members import Home, Members
from preflight.facts.seen import COMPLETE, NotCollected, Unknown
from tests.conftest import HEAP

EMAIL = HEAP.partition(":")[2]
ANA = "user:ana@acme.example"
POOL = "//iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/github"
WORKFORCE = "//iam.googleapis.com/locations/global/workforcePools/staff"
PERHAPS = "perhaps"
HERE = Home("acme-analytics", "421700000001", ("folders/7", "organizations/9"), COMPLETE)
SEEN = Members(
    HERE,
    Unknown(NotCollected()),
    lambda _principal, _role, member: OpenFact("basic role", member, Unknown(NotCollected())),
)


@pytest.mark.parametrize(
    ("member", "account", "person"),
    [
        pytest.param(HEAP, True, False, id="the service account"),
        pytest.param(ANA, False, True, id="the user"),
        pytest.param("serviceAccount:Heap-SQL@HEAP-204122.iam.gserviceaccount.com", True, False, id="in capitals"),
        pytest.param("user:Ana@ACME.example", False, True, id="a user in capitals"),
        pytest.param(f"user:{EMAIL}", False, False, id="user: and the account's e-mail"),
        pytest.param("serviceAccount:ana@acme.example", False, False, id="serviceAccount: and a user's e-mail"),
        pytest.param(HEAP + ".evil.example", False, False, id="a longer e-mail"),
        pytest.param("serviceAccount:acme.svc.id.goog[ns/sa]", False, False, id="a GKE workload"),
        pytest.param(f"deleted:{HEAP}?uid=123", False, False, id="a deleted account of that name"),
        pytest.param("deleted:user:ana@acme.example?uid=1", False, False, id="a deleted user of that name"),
        pytest.param("deleted:group:data@acme.example?uid=1", False, False, id="a deleted group"),
        pytest.param("deleted:principal:" + POOL + "/subject/x", False, False, id="a deleted pool's identity"),
        pytest.param("group:data@acme.example", PERHAPS, PERHAPS, id="a group"),
        pytest.param("domain:acme.example", False, PERHAPS, id="a domain never holds service accounts"),
        pytest.param("domain:heap-204122.iam.gserviceaccount.com", False, PERHAPS, id="even one named like theirs"),
        pytest.param("allUsers", True, True, id="everyone"),
        pytest.param("allAuthenticatedUsers", True, True, id="every account"),
        pytest.param("principalSet://goog/public:all", True, True, id="everyone, as deny policies write it"),
        pytest.param("projectOwner:acme-analytics", PERHAPS, PERHAPS, id="the owners of a project"),
        pytest.param("projectEditor:acme-analytics", PERHAPS, PERHAPS, id="its editors"),
        pytest.param("projectViewer:acme-analytics", PERHAPS, PERHAPS, id="its viewers"),
        pytest.param(f"principal://iam.googleapis.com/projects/-/serviceAccounts/{EMAIL}", True, False,
                     id="a service account in the long form"),
        pytest.param("principal://iam.googleapis.com/projects/-/serviceAccounts/x@y.iam.gserviceaccount.com", False,
                     False, id="another in the long form"),
        pytest.param("principal://goog/subject/ANA@acme.example", False, True, id="a user in the long form"),
        pytest.param("principalSet://goog/group/data@acme.example", PERHAPS, PERHAPS, id="a group in the long form"),
        pytest.param("principalSet://goog/cloudIdentityCustomerId/C0acme", PERHAPS, PERHAPS, id="a whole customer"),
        pytest.param(f"principal:{POOL}/subject/repo", False, False, id="a workload's identity"),
        pytest.param(f"principalSet:{POOL}/attribute.repository/acme", False, False, id="workloads by attribute"),
        pytest.param(f"principalSet:{POOL}/*", False, False, id="all workloads of a pool"),
        pytest.param(f"principal:{WORKFORCE}/subject/ana@acme.example", False, False, id="a workforce's identity"),
        pytest.param(f"principalSet:{WORKFORCE}/group/data", False, False, id="a workforce's group"),
        pytest.param("principalSet://cloudresourcemanager.googleapis.com/projects/12/type/ServiceAccount", PERHAPS,
                     False, id="every service account of a project"),
        pytest.param("principalSet://cloudresourcemanager.googleapis.com/folders/12/type/ServiceAccount", PERHAPS,
                     False, id="every service account of a folder"),
        pytest.param("principalSet://cloudresourcemanager.googleapis.com/organizations/12", PERHAPS, PERHAPS,
                     id="everything of an organization"),
        pytest.param("somebody", PERHAPS, PERHAPS, id="a word"),
        pytest.param("robot:of-next-year", PERHAPS, PERHAPS, id="a kind of next year"),
        pytest.param("", PERHAPS, PERHAPS, id="nothing"),
    ],
)  # fmt: skip
def test_each_kind_of_member(member, account, person):
    for principal, expected in ((HEAP, account), (ANA, person)):
        answer = SEEN.covers(member, principal)
        assert (PERHAPS if isinstance(answer, OpenFact) else answer) == expected
        assert may_cover(member, principal) == (expected is not False)


def test_what_would_settle_a_group_is_told():
    reason = SEEN.covers("group:data@acme.example", HEAP).unknown.reason
    assert EMAIL in reason.settle()
    assert "data@acme.example" in reason.settle()


@pytest.mark.parametrize(
    ("member", "says"),
    [
        pytest.param(f"deleted:{HEAP}?uid=1", "deleted", id="deleted"),
        pytest.param(f"deleted:{HEAP.upper().replace('SERVICEACCOUNT', 'serviceAccount')}?uid=1", "deleted",
                     id="deleted, in capitals"),
        pytest.param(f"user:{EMAIL}", "written as user: instead of serviceAccount:", id="the wrong kind"),
        pytest.param("serviceAccount:heap-sql@acme.iam.gserviceaccount.com", "elsewhere", id="another project's"),
        pytest.param("serviceAccount:heap-sq1@heap-204122.iam.gserviceaccount.com", "misspelt", id="a letter changed"),
        pytest.param("serviceAccount:heap-slq@heap-204122.iam.gserviceaccount.com", "misspelt", id="letters swapped"),
        pytest.param("user:heapsql@heap-204122.iam.gserviceaccount.com", "misspelt", id="misspelt, of the wrong kind"),
        pytest.param(HEAP, None, id="the account itself"),
        pytest.param("deleted:serviceAccount:other@x.iam.gserviceaccount.com?uid=1", None, id="someone else, deleted"),
        pytest.param("serviceAccount:build@acme.iam.gserviceaccount.com", None, id="another account"),
        pytest.param("user:ana@acme.example", None, id="another user"),
        pytest.param("domain:heap-204122.iam.gserviceaccount.com", None, id="a domain"),
        pytest.param("allUsers", None, id="everyone"),
    ],
)  # fmt: skip
def test_likeness(member, says):
    how = likeness(member, HEAP)
    assert how is None if says is None else says in how
