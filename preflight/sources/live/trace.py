"""What was called, how it ended and how long it took: for `--verbose` and the support bundle."""

from msgspec import Struct


class TracedCall(Struct, frozen=True):
    """One call. It holds no body and no token."""

    method: str
    """The method's id, such as `cloudresourcemanager.projects.get`."""
    resource: str
    outcome: str
    """`ok`, or the kind of reason for which nothing is known."""
    milliseconds: int
    """From when it was due to its end, retries and the wait for its client included."""
    attempts: int
    """How often it was sent; 0: the client was not ready in time."""
