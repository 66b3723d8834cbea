"""Names and their pseudonyms.

A pseudonym is made of its name with a secret key (HMAC-SHA-256), so that the same name has the same one in every
bundle that was made with the key, and nobody without it can guess. It keeps the form of what it stands for, and the
traits by which rules judge: the kind of member, that it is deleted, whether two are of one domain or project, and how
it resembles the vendor's account.
"""

import hmac
import re
from collections.abc import Callable, Iterable

from msgspec import Struct

from preflight.access.likeness import likeness
from preflight.access.members import PUBLIC, email_of, kind_of
from preflight.errors import RedactionError

_DIGITS = 12
"""Of the HMAC: 48 bits."""
_OWN_SUFFIXES = ("_migrated", "_raw")
"""How the vendor's own datasets and tables end: that they are such stays."""
_ALL_EVENTS = "all_events"
_ACCOUNTS = ".iam.gserviceaccount.com"
_AGENTS = "gcp-sa-"
_APPSPOT = "appspot.gserviceaccount.com"
_NUMBERED = re.compile(r"(?P<before>service-|)(?P<number>\d+)(?P<after>-compute|)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_UID = re.compile(r"\?uid=(\d+)$")
_CONVENIENCE = frozenset({"projectOwner", "projectEditor", "projectViewer"})
_WITH_EMAIL = frozenset({"user", "serviceAccount", "group"})
_KIND = re.compile(r"[A-Za-z]+")
_CUSTOMER = re.compile(r"C[0-9A-Za-z]{5,}")
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_TOKEN = re.compile(r"[\w-]+")
_FILE = re.compile(r"(?P<file>[^\s:]*[./][^\s:]*)(?P<line>(?::\d+)*)")
"""A file and perhaps a line, as opposed to words."""
_PREFIX = re.compile(r"(is|under|in):(.*)", re.DOTALL)

_SLASH = "%2F"
COLLECTIONS = frozenset(
    {
        *("projects", "folders", "organizations", "billingAccounts", "roles", "datasets", "tables", "routines"),
        *("services", "locations", "policies", "denypolicies", "tagKeys", "tagValues", "keyRings", "cryptoKeys"),
        *("serviceAccounts", "groups", "global", "workloadIdentityPools", "workforcePools", "providers", "subject"),
        *("group", "goog", "public:all", "type", "ServiceAccount", "namespace", "attribute", "*", "_", "buckets"),
        *("objects", "instances", "databases", "topics", "subscriptions", "accessPolicies", "accessLevels"),
        *("cloudIdentityCustomerId", "-", "principal:", "principalSet:", "policyVersions", "models", "secrets"),
        *("https:", "http:", "kubernetes.cluster", "v1", "zones", "clusters", "versions", "ns", "sa"),
    }
)
"""Words of Google's own that stand between the slashes of a resource's name."""
_OF_GOOGLE = frozenset({"services", "locations", "policies", "type"})
"""What follows these in a name is Google's word, too: an API, a location, a constraint."""
_NUMBERED_THINGS = frozenset({"folders", "organizations", "tagKeys", "tagValues", "accessPolicies"})


_PSEUDONYM = re.compile(rf"(?<![0-9A-Za-z])x[-_][0-9a-f]{{{_DIGITS}}}(?![0-9A-Za-z])")


def pseudonyms_in(text: str) -> frozenset[str]:
    """What in a text looks like a pseudonym that was made of a name."""
    return frozenset(_PSEUDONYM.findall(text))


class Kept(Struct, frozen=True):
    """Which names stay: the vendor needs them."""

    project: str
    """The project's ID."""
    number: str | None
    principals: tuple[str, ...]
    """In the form of IAM policies; of the first one the likeness of others is kept."""
    emails: frozenset[str]
    """Others that stay, such as that of the vendor's support."""
    datasets: frozenset[str]
    customers: frozenset[str]
    """Directory customer IDs, such as the vendor's own."""


class Pseudonyms:
    """Gives each name its pseudonym, and remembers which is which."""

    def __init__(self, key: bytes, kept: Kept, *, files: bool = False) -> None:
        """`key` is secret; the longer, the better. Nothing in `kept` is replaced; `files`: the names of files are."""
        self._files = files
        self._key = key
        self._kept = kept
        self._emails = {*(email_of(one).casefold() for one in kept.principals), *map(str.casefold, kept.emails)}
        self._domains = {one.partition("@")[2] for one in self._emails}
        self._customers = {one.casefold() for one in kept.customers}
        self._projects = {kept.project, kept.number, *(_project_of(one) for one in self._emails), ""}
        self._words_kept = {kept.project, kept.number, *kept.datasets, _ALL_EVENTS}
        """What stays wherever it stands in a name."""
        self._by_place: dict[str, Callable[[str], str]] = {
            "projects": self.project,
            "datasets": self.dataset,
            "tables": self.dataset,
            "routines": self.dataset,
            "billingAccounts": self.billing,
            "cloudIdentityCustomerId": self.customer,
        }
        self._principal = kept.principals[0]
        self._name = email_of(self._principal).partition("@")[0]
        self.legend: dict[str, str] = {}
        """What each pseudonym stands for."""
        self.replaced: dict[str, set[str]] = {}
        """All that was replaced, whole, by what it is in words."""
        self._reverse: dict[str, str] = {}
        self._phrases: re.Pattern[str] | None = None
        self._texts: dict[str, str] = {}
        self._known = 0
        self.learning = False
        """While it is, what is made of free texts doesn't count: not all names are known yet."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that was replaced."""
        return tuple(name for names in self.replaced.values() for name in names)

    def keep(self, text: str) -> str:
        """As it is."""
        return text

    def word(self, text: str) -> str:
        """A name of which nothing needs to be known."""
        return self._put("x_", self._note("names", text)) if text else text

    def project(self, text: str) -> str:
        """A project by its ID or number."""
        if text in self._projects or text.startswith(_AGENTS):
            return text
        return self.number(text) if text.isdigit() else self._put("x-", self._note("projects", text))

    def number(self, text: str) -> str:
        """A number that names something: of a project, folder, organization, tag, account."""
        if not text.isdigit():
            return self.word(text)
        if text == self._kept.number:
            return text
        made = str(9 * 10**17 + int(self._digest("number", text)[:14], 16) % 10**17)
        return self._remember(made, self._note("numbers", text))

    def dataset(self, text: str) -> str:
        """A dataset or table. How the vendor's end, and `all_events`, stays."""
        if not text or text in self._kept.datasets or text == _ALL_EVENTS:
            return text
        ending = next((one for one in _OWN_SUFFIXES if text.endswith(one) and text != one), "")
        stem = text.removesuffix(ending)
        if stem in self._kept.datasets:
            return text
        self._note("datasets and tables", text)
        return self._remember(self._put("x_", stem) + ending, text)

    def domain(self, text: str) -> str:
        """A domain. Google's own of service accounts stay, the project in them as projects do."""
        if not text or text.endswith(".gserviceaccount.com"):
            project = text.removesuffix(_ACCOUNTS)
            return text if project == text else f"{self.project(project)}{_ACCOUNTS}"
        if text.casefold() in self._domains:
            return text
        return self._put("x-", self._note("domains", text).casefold(), ".invalid")

    def email(self, text: str) -> str:
        """An e-mail: its name and its domain, each by itself, so that what has one domain still has."""
        name, at, domain = text.partition("@")
        if not at or text.casefold() in self._emails:
            return text if at else self.word(text)
        made = self._renamed(text, name, domain)
        if made != text:  # Google's own account of the project is called after its number
            self._note("accounts and groups", text)
        return made

    def _renamed(self, text: str, name: str, domain: str) -> str:
        if (like := likeness(f"{kind_of(self._principal)}:{text}", self._principal)) and domain:
            return self._alike(text, like)
        if text.casefold().endswith(".gserviceaccount.com") and (agent := _NUMBERED.fullmatch(name)):
            return f"{agent['before']}{self.number(agent['number'])}{agent['after']}@{self.domain(domain)}"
        if domain.casefold() == _APPSPOT:
            return f"{self.project(name)}@{domain}"
        return f"{self._put('x_', name.casefold())}@{self.domain(domain)}"

    def _alike(self, text: str, like: str) -> str:
        """Something that resembles the vendor's account just so."""
        name, _, domain = text.partition("@")
        if name.casefold() == self._name.casefold():
            return f"{name}@{self.domain(domain)}"
        digest = self._digest("alike", text.casefold())
        own = email_of(self._principal).partition("@")[2]
        for length in (6, 4, 2, 1):
            for start in range(len(digest) - length):
                made = f"{self._name}{digest[start : start + length]}@{own}"
                same = likeness(f"{kind_of(self._principal)}:{made}", self._principal) == like
                if same and self.legend.get(made, text).casefold() == text.casefold():
                    return self._remember(made, text)
        raise RedactionError("A name that nearly is the vendor's has no pseudonym that is, too.")

    def member(self, text: str) -> str:
        """A member of a policy, in the form of IAM policies."""
        kind, colon, name = text.partition(":")
        if text in PUBLIC or not text:
            return text
        if text.startswith(("principal://", "principalSet://")):
            return self.path(text)
        if not colon or not _KIND.fullmatch(kind):
            return self._special(text)
        if kind == "deleted":
            return f"deleted:{self._deleted(name)}"
        if kind in _CONVENIENCE:
            return f"{kind}:{self.project(name)}"
        if kind in _WITH_EMAIL and "@" in name:
            return f"{kind}:{self.email(name)}"
        return f"{kind}:{self.domain(name) if kind == 'domain' else self.path(name)}"

    def _special(self, text: str) -> str:
        known = {"projectOwners", "projectWriters", "projectReaders", "allAuthenticatedUsers", "allUsers"}
        return text if text in known else self.email(text) if "@" in text else self.word(text)

    def _deleted(self, member: str) -> str:
        uid = _UID.search(member)
        name = member[: uid.start()] if uid else member
        return self.member(name) + (f"?uid={self.number(uid[1])}" if uid else "")

    def role(self, text: str) -> str:
        """A role's full name: of one of the customer's own, what it is called; never what it holds."""
        return text if text.startswith("roles/") or "/" not in text else self.path(text)

    def customer(self, text: str) -> str:
        """A directory's customer ID."""
        if not text or text.casefold() in self._customers:
            return text
        return self._remember(
            f"C0{self._digest('customer', text.casefold())[:_DIGITS]}", self._note("directories", text)
        )

    def billing(self, text: str) -> str:
        """A billing account's number."""
        digits = self._digest("billing", text)[:18].upper()
        made = f"{digits[:6]}-{digits[6:12]}-{digits[12:]}"
        return self._remember(made, self._note("billing accounts", text))

    def value(self, text: str) -> str:
        """A value in an organization policy: `in:eu-locations`, `is:C0…`, `under:organizations/1`, an API, a member."""
        prefixed = _PREFIX.fullmatch(text)
        start, rest = (f"{prefixed[1]}:", prefixed[2]) if prefixed else ("", text)
        if start == "in:" or rest.endswith((".googleapis.com", "-locations")):
            return text
        if _CUSTOMER.fullmatch(rest) and any(letter.isdigit() for letter in rest):
            return start + self.customer(rest)
        if "@" in rest:
            return start + self.member(rest)
        if "/" in rest:
            return start + self.path(rest)
        return start + (self.domain(rest) if "." in rest else rest)

    def path(self, text: str) -> str:
        """A resource's name: what stands between its slashes, each as what comes before it says."""
        parts: list[str] = []
        before, custom = "", text.startswith(("projects/", "organizations/"))
        for part in text.split("/"):
            parts.append(self._part(part, before, custom=custom))
            before = part
        return "/".join(parts)

    def _part(self, part: str, before: str, *, custom: bool) -> str:
        if _SLASH in part:  # what a deny policy is attached to
            return self.path(part.replace(_SLASH, "/")).replace("/", _SLASH)
        if not part or part in self._words_kept or part in COLLECTIONS:
            return part
        if part.endswith(".googleapis.com") or before in _OF_GOOGLE:
            return part
        if before == "roles":
            return self.word(part) if custom else part
        if before in self._by_place:
            return self._by_place[before](part)
        if before in _NUMBERED_THINGS or part.isdigit():
            return self.number(part)
        if "@" in part:
            return self.member(part)
        if before.endswith(".googleapis.com") and _RESOURCE_TYPE.fullmatch(part):
            return part
        if part.startswith("attribute."):
            return f"attribute.{self.word(part.removeprefix('attribute.'))}"
        return self.word(part)

    def place(self, text: str) -> str:
        """Where something was seen: an API's resource, a member, a file and line, or words."""
        first = text.partition("/")[0]
        if first in COLLECTIONS and first not in {"group", "type", "subject"}:
            return self.path(text)
        if text.partition(":")[0] in _WITH_EMAIL:
            return self.member(text)
        place = _FILE.fullmatch(text) if self._files else None
        return f"{self.word(place['file'])}{place['line']}" if place else self.text(text)

    def address(self, text: str) -> str:
        """A resource of Terraform by its address, or a view by its full name: the words in it that aren't kept."""
        return _TOKEN.sub(lambda match: self._addressed(match[0]), text)

    def _addressed(self, word: str) -> str:
        own = word in self._words_kept or word in {"module", "data"} or word.startswith("google_")
        return word if own or word.isdigit() else self.dataset(word)

    def text(self, text: str) -> str:
        """Free text: each name in it that is known from elsewhere, and each e-mail."""
        if self.learning:
            for email in _EMAIL.findall(text):
                self.email(email)
            return text
        if self._known != len(self.legend):
            self._learn()
        found = self._texts.get(text)
        if found is None:
            between = _EMAIL.split(text)
            emails = [self.email(email) for email in _EMAIL.findall(text)]
            found = self._words(between[0])
            for email, rest in zip(emails, between[1:], strict=True):
                found += email + self._words(rest)
            self._texts[text] = found
        return found

    def _words(self, text: str) -> str:
        if self._phrases:
            text = self._phrases.sub(lambda match: self._reverse[match[0].casefold()], text)
        return _TOKEN.sub(lambda match: self._reverse.get(match[0], match[0]), text)

    def _learn(self) -> None:
        """Looks up what was replaced so far. Names of one word are looked up one by one: there may be thousands."""
        self._known = len(self.legend)
        self._reverse = {original: pseudonym for pseudonym, original in self.legend.items()}
        phrases = sorted((name for name in self._reverse if not _TOKEN.fullmatch(name)), key=len, reverse=True)
        self._reverse |= {name.casefold(): self._reverse[name] for name in phrases}
        self._phrases = _any_of(phrases)
        self._texts = {}

    def _note(self, what: str, text: str) -> str:
        self.replaced.setdefault(what, set()).add(text)
        return text

    def _put(self, start: str, text: str, end: str = "") -> str:
        return self._remember(f"{start}{self._digest('name', text)[:_DIGITS]}{end}", text)

    def _remember(self, pseudonym: str, original: str) -> str:
        if self.legend.setdefault(pseudonym, original).casefold() != original.casefold():
            raise RedactionError("Two names have the same pseudonym.", "Make a new key, or use --redact none.")
        return pseudonym

    def _digest(self, kind: str, text: str) -> str:
        return hmac.digest(self._key, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()


def _project_of(email: str) -> str:
    return email.partition("@")[2].removesuffix(_ACCOUNTS) if email.endswith(_ACCOUNTS) else ""


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    whole = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?<![\w-])(?:{whole})(?![\w-])", re.IGNORECASE) if whole else None
