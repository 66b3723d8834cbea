"""Second opinions: the same questions, put to Google's Policy Troubleshooter."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from preflight.facts.methods import TROUBLESHOOT
from preflight.facts.second_opinion import SecondOpinion, SecondOpinions, Troubleshot
from preflight.facts.seen import Provenance, Unknown
from preflight.profile import Profile
from preflight.sources.live.answers import word
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.guard import UnreadableError

_ANSWERS = {
    "CAN_ACCESS": Troubleshot.GRANTED,
    "CANNOT_ACCESS": Troubleshot.NOT_GRANTED,
    "UNKNOWN_INFO": Troubleshot.UNKNOWN,
    "UNKNOWN_CONDITIONAL": Troubleshot.UNKNOWN,
}
_HOST = "cloudresourcemanager.googleapis.com"


def permissions_to_ask(profile: Profile) -> tuple[str, ...]:
    """The permissions that are checked on the project itself, each once."""
    needs = (
        *profile.grant.minimum_permissions,
        *profile.grant.broad_permissions,
        *profile.dataset.create_permissions,
    )
    return tuple(dict.fromkeys(needs))


class OpinionReader:
    """Asks about one principal on the project."""

    def __init__(self, calls: Calls, principal: str) -> None:
        self._calls = calls
        self._principal = principal
        self._answers: dict[str, SecondOpinion | Unknown] = {}

    def read(self, project: str, permissions: tuple[str, ...]) -> None:
        """Asks for each of the permissions."""
        for permission in permissions:
            self._ask(f"projects/{project}", permission)

    def _ask(self, resource: str, permission: str) -> None:
        moment = datetime.now(UTC)
        # Without this context it can't evaluate conditions: it answers UNKNOWN_CONDITIONAL.
        context = {
            "request": {"receive_time": moment},
            "resource": {"service": _HOST, "name": resource, "type": f"{_HOST}/Project"},
        }
        asked = {
            "principal": self._principal.partition(":")[2],
            "full_resource_name": f"//{_HOST}/{resource}",
            "permission": permission,
            "condition_context": context,
        }

        def fetch(client: Any, seconds: float) -> Any:
            return client.troubleshoot_iam_policy(request={"access_tuple": asked}, retry=None, timeout=seconds)

        def read(answer: Any, seen: Provenance) -> SecondOpinion:
            return opinion(answer, seen, permission, moment)

        def told(found: SecondOpinion | Unknown) -> None:
            self._answers[permission] = found

        self._calls.start(Call(TROUBLESHOOT, resource, resource, "troubleshooter", fetch, read, told))

    def opinions(self) -> SecondOpinions:
        """The answers, in the order of the questions' names."""
        return SecondOpinions(principal=self._principal, answers=dict(sorted(self._answers.items())))


def opinion(answer: Any, seen: Provenance, permission: str, moment: datetime) -> SecondOpinion:
    """Policy Troubleshooter v3 `TroubleshootIamPolicyResponse`."""
    state = word(answer, "overall_access_state")
    if state not in _ANSWERS:
        raise UnreadableError("it names no state of access")
    return SecondOpinion(
        provenance=seen,
        permission=permission,
        resource=seen.resource,
        answer=_ANSWERS[state],
        shown=(*_denials(answer), *_grants(answer)),
        at=moment,
    )


def _grants(answer: Any) -> Iterator[str]:
    for policy in answer.allow_policy_explanation.explained_policies:
        where = policy.full_resource_name.removeprefix(f"//{_HOST}/")
        if not policy.binding_explanations and word(policy, "allow_access_state").endswith("UNKNOWN_INFO"):
            yield f"the allow policy of {where} is not shown to the caller"
        for binding in policy.binding_explanations:
            state = word(binding, "allow_access_state").removeprefix("ALLOW_ACCESS_STATE_")
            if state == "GRANTED":
                yield f"{binding.role} on {where} grants it"
            elif state == "UNKNOWN_CONDITIONAL":
                yield f"{binding.role} on {where} grants it if {binding.condition.expression}"
            elif state == "UNKNOWN_INFO":
                yield f"whether {binding.role} on {where} grants it is not shown to the caller"


def _denials(answer: Any) -> Iterator[str]:
    for resource in answer.deny_policy_explanation.explained_resources:
        where = resource.full_resource_name.removeprefix(f"//{_HOST}/")
        if not resource.explained_policies and word(resource, "deny_access_state").endswith("UNKNOWN_INFO"):
            yield f"the deny policies of {where} are not shown to the caller"
        for policy in resource.explained_policies:
            name = policy.policy.name.rpartition("/")[2]
            state = word(policy, "deny_access_state").removeprefix("DENY_ACCESS_STATE_")
            if state == "DENIED":
                yield f"deny policy {name} on {where} denies it"
            elif state.startswith("UNKNOWN"):
                yield f"deny policy {name} on {where} may deny it"
