"""Keeps quiet what Google's libraries would say by themselves.

The access token stays out of logs: `tokeninfo` takes it in the address, and urllib3 logs addresses. And gRPC
writes nothing to stderr: what it would say there is told as a reason.
"""

import logging
import os
import re

_TOKEN = re.compile(r"(access_token=)[^&\s\"']+")


class _HideToken(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_TOKEN.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


_FILTER = _HideToken()


def keep_quiet() -> None:
    """From now on urllib3's log lines show no access token, at whatever level and to whatever handler.

    To be called before gRPC is loaded, which reads its variable only then; one that is set is left as it is.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)  # a second time it changes nothing
