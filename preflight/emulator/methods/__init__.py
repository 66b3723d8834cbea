"""The API methods that the stand-in answers, one module an API."""

from preflight.emulator.methods import (
    bigquery,
    billing,
    cloudidentity,
    denypolicies,
    iam,
    iamcredentials,
    orgpolicy,
    resourcemanager,
    serviceusage,
    troubleshooter,
)
from preflight.emulator.methods.call import Ask, Method
from preflight.emulator.world import Node

METHODS: dict[str, Method] = {
    method.id: method
    for module in (
        resourcemanager,
        serviceusage,
        billing,
        iam,
        iamcredentials,
        denypolicies,
        orgpolicy,
        cloudidentity,
        troubleshooter,
        bigquery,
    )
    for method in module.METHODS
}
"""Every method that needs a caller; `oauth2.tokeninfo` needs none and is apart."""

__all__ = ["METHODS", "Ask", "Method", "withheld_permissions"]


def withheld_permissions(node: Node) -> frozenset[str]:
    """What nobody holds on `node`, because every method that needs it is withheld there.

    Without this, testIamPermissions would promise what the call itself then refuses.
    """
    if not node.withheld:
        return frozenset()
    kind = node.name.partition("/")[0]
    elsewhere = {"projects", "folders", "organizations"} - {kind}
    refused: set[str] = set()
    open_: set[str] = set()
    for method in METHODS.values():
        if method.id.split(".")[1] in elsewhere:
            continue
        (refused if method.id in node.withheld else open_).add(method.permission)
    return frozenset(refused - open_ - {""})
