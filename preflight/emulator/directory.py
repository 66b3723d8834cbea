"""Finding things in a world: by ID or number, by token, and upwards from a project to its organisation."""

from typing import Literal

from preflight.emulator.world import (
    Binding,
    Caller,
    Folder,
    Group,
    Node,
    Organization,
    Project,
    Role,
    ServiceAccount,
    World,
    bundled_roles,
)

_KINDS: dict[str, Literal["user", "service_account"]] = {"user": "user", "serviceAccount": "service_account"}


class Directory:
    """Indexes over one world. Where recordings share an ID or a number, the first one answers to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._projects: dict[str, Project] = {}
        for project in world.projects:
            self._projects.setdefault(project.id, project)
        for project in world.projects:
            self._projects.setdefault(project.number, project)
        self._folders = {folder.name: folder for folder in world.folders}
        self._organizations = {organization.name: organization for organization in world.organizations}
        self.groups: dict[str, Group] = {group.email.lower(): group for group in world.groups}
        self._predefined = {**bundled_roles(), **{role.name: role for role in world.roles}}
        self.callers = {caller.email.lower(): caller for caller in (*self._implied(), *world.callers)}
        self._by_token = {caller.bearer: caller for caller in self.callers.values()}

    def _implied(self) -> list[Caller]:
        """Whoever a policy, a group or a dataset names exists, and so can call."""
        members = [member for group in self.world.groups for member in group.members]
        members += [member for caller in self.world.callers for one in caller.bindings for member in one.members]
        for node in (*self.world.projects, *self.world.folders, *self.world.organizations):
            members += [member for binding in node.bindings for member in binding.members]
        for project in self.world.projects:
            for dataset in project.datasets:
                for entry in dataset.access:
                    email = str(entry.get("userByEmail", ""))
                    account = email.endswith(".gserviceaccount.com")
                    members.append(("serviceAccount:" if account else "user:") + email)
        callers = []
        for member in members:
            kind, _, email = member.partition(":")
            if kind in _KINDS and "@" in email:
                callers.append(Caller(email=email, kind=_KINDS[kind]))
        return callers

    def caller(self, token: str) -> Caller | None:
        """Whose token this is; expired ones are known too."""
        return self._by_token.get(token)

    def principal(self, email: str) -> Caller:
        """Somebody by e-mail, whether or not this world knows them."""
        account = email.lower().endswith(".gserviceaccount.com")
        return self.callers.get(email.lower()) or Caller(email=email, kind="service_account" if account else "user")

    def account(self, email: str) -> ServiceAccount | None:
        """A service account that can call, with the grants on it; below its own project, if the world has that."""
        caller = self.callers.get(email.lower())
        if caller is None or caller.kind != "service_account":
            return None
        home = self.home(caller)
        parent = f"projects/{home.id}" if home else ""
        return ServiceAccount(email=caller.email, parent=parent, bindings=caller.bindings)

    def project(self, key: str) -> Project | None:
        """By ID or by number, with or without ``projects/``."""
        return self._projects.get(key.removeprefix("projects/"))

    def node(self, name: str) -> Node | None:
        """By resource name: ``projects/X``, ``folders/N``, ``organizations/N``."""
        if name.startswith("projects/"):
            return self.project(name)
        return self._folders.get(name) or self._organizations.get(name)

    def chain(self, node: Node) -> list[Node]:
        """The node and its ancestors, nearest first, as far as the world knows them."""
        found: list[Node] = []
        current: Node | None = node
        while current is not None and current not in found:
            found.append(current)
            parent = current.parent if isinstance(current, Project | Folder | ServiceAccount) else ""
            current = self.node(parent) if parent else None
        return found

    def home(self, caller: Caller) -> Project | None:
        """The project that a service account belongs to, if the world has it."""
        if caller.project:
            return self.project(caller.project)
        name, _, host = caller.email.lower().partition("@")
        if host.endswith(".iam.gserviceaccount.com"):
            owner = host.removesuffix(".iam.gserviceaccount.com")
            return self.project(owner) or self.project(_legacy(owner))
        if host == "appspot.gserviceaccount.com":
            return self.project(name)
        if host == "developer.gserviceaccount.com":
            return self.project(name.partition("-")[0])
        return None

    def predefined_roles(self) -> dict[str, Role]:
        """The predefined roles that this world knows, by name."""
        return self._predefined

    def role(self, name: str) -> Role | None:
        """A predefined or custom role by its full name; a project's may be named by the project's number."""
        if name.startswith("roles/"):
            return self._predefined.get(name)
        parent, separator, last = name.partition("/roles/")
        owner = self.node(parent) if separator else None
        if isinstance(owner, Project | Organization):
            for role in owner.roles:
                if role.name.rpartition("/")[2] == last:
                    return role
        return None

    def usable_role(self, binding: Binding, node: Node) -> Role | None:
        """The role that a binding on `node` gives: a custom role can be named only inside its owner."""
        name = binding.role
        if not name.startswith("roles/"):
            owner = self.node(name.partition("/roles/")[0])
            if owner is None or owner not in self.chain(node):
                return None
        role = self.role(name)
        return None if role is None or role.deleted or role.stage == "DISABLED" else role


def _legacy(owner: str) -> str:
    """A project of a domain, ``example.com:legacy``, writes its accounts' host as ``legacy.example.com``."""
    name, _, domain = owner.partition(".")
    return f"{domain}:{name}"
