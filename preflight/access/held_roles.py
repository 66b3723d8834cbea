"""Whether a role holds a permission: by what was read, else by the catalogue that ships with this version."""

from preflight.access.formula import OpenFact
from preflight.facts.catalogue import role_catalogue
from preflight.facts.policy import Role, Roles
from preflight.facts.seen import Evidence, NotCollected, Unknown


class HeldRoles:
    """The roles as they were read. A predefined role that nobody asked Google about is looked up in the catalogue;
    one that Google was asked about and didn't tell stays unknown."""

    def __init__(self, roles: Roles | Unknown) -> None:
        self.facts = roles
        self._known = roles.roles if isinstance(roles, Roles) else {}
        self._whole = roles if isinstance(roles, Unknown) else None
        self._said: dict[tuple[str, str], tuple[Evidence, ...]] = {}
        self._answers: dict[tuple[str, str], bool | OpenFact] = {}

    def stands(self, role: str) -> bool | OpenFact:
        """Whether a binding of the role gives anything: not if it was deleted or disabled. Only the owners of a custom
        role can do that to it, so of one that wasn't read it is open."""
        found = self._known.get(role)
        if isinstance(found, Role):
            return not found.gone
        return True if role.startswith("roles/") else OpenFact("role", role, self._why(role))

    def permissions(self, role: str) -> frozenset[str] | None:
        """All permissions that a binding of the role gives; those that the catalogue looked at, for a predefined role
        that wasn't read; None where they aren't known."""
        found = self._known.get(role)
        if isinstance(found, Role):
            return found.granted
        listed = role_catalogue().permissions_of(role)
        why = found or self._whole
        return listed if why is None or isinstance(why.reason, NotCollected) else None

    def read(self, role: str) -> bool:
        """Whether all permissions of the role were read; the catalogue has some of each alone."""
        return isinstance(self._known.get(role), Role)

    def holds(self, role: str, permission: str) -> bool | OpenFact:
        """Whether a binding of the role gives the permission."""
        key = (role, permission)
        answer = self._answers.get(key)
        if answer is None:
            found = self._known.get(role)
            holds = permission in found.granted if isinstance(found, Role) else self._unread(role, permission)
            answer = self._answers[key] = holds
        return answer

    def _why(self, role: str) -> Unknown:
        found = self._known.get(role)
        return found if isinstance(found, Unknown) else self._whole or Unknown(NotCollected(f"{role} was not read"))

    def _unread(self, role: str, permission: str) -> bool | OpenFact:
        why = self._why(role)
        if isinstance(why.reason, NotCollected):
            listed = role_catalogue().holds(role, permission)
            if listed is not None:
                return listed
        return OpenFact("role", role, why)

    def evidence(self, role: str, permission: str) -> tuple[Evidence, ...]:
        """What tells that the role holds the permission; and the catalogue, where it says otherwise."""
        key = (role, permission)
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = self._evidence(role, permission)
        return said

    def _evidence(self, role: str, permission: str) -> tuple[Evidence, ...]:
        found = self._known.get(role)
        if not isinstance(found, Role):
            if isinstance(self.holds(role, permission), OpenFact):
                return ()
            return (_listed(role, f"{role} holds {permission}"),)
        said = (found.provenance.saw(f"{role} holds {permission}"),)
        if role_catalogue().holds(role, permission) is False:
            return (*said, _listed(role, f"{role} did not hold {permission} then; what was read now counts"))
        return said


def _listed(role: str, detail: str) -> Evidence:
    return Evidence(f"role catalogue of {role_catalogue().date}", role, None, detail)


_LATEST: list[HeldRoles] = []


def held_roles(roles: Roles | Unknown) -> HeldRoles:
    """The roles, with what was worked out for them if they are those asked for last, as the projects of one
    organization have them."""
    if not (_LATEST and _LATEST[0].facts is roles):
        _LATEST[:] = [HeldRoles(roles)]
    return _LATEST[0]
