"""A certificate authority of the stand-in's own, and a certificate for loopback, by trustme."""

from functools import cache

import trustme


@cache
def authority() -> trustme.CA:
    """One for the process: making it again for every server would only cost time."""
    return trustme.CA()


@cache
def for_loopback() -> tuple[bytes, bytes]:
    """Private key and certificate chain, in PEM, for 127.0.0.1 and localhost."""
    issued = authority().issue_cert("127.0.0.1", "::1", "localhost")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return issued.private_key_pem.bytes(), chain
