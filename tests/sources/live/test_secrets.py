"""A token never reaches a log, an error, a fact or a representation."""

import logging

import msgspec
import pytest

from preflight.emulator import Fault
from preflight.errors import CredentialsError
from preflight.sources.live import LiveSettings
from preflight.sources.live.credentials import find_credentials
from preflight.sources.live.settings import AccessToken
from tests.sources.live.conftest import ADMIN


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("kind", [None, "denied", "unauthenticated_401", "reset", "truncated", "not_json", "hang"])
def test_no_log_of_any_level_holds_the_token(ready, read, caplog, capfd, transport, kind):
    if kind:
        ready.inject(Fault(method="*", kind=kind))
    caplog.set_level(logging.DEBUG)
    source, snapshot = read(ready, transport=transport, timeout=0.5 if kind else 10.0)
    token = ready.token(ADMIN)
    assert "cloudresourcemanager.projects.get" in caplog.text, "it was logging"
    assert token not in caplog.text
    assert token not in "".join(repr(record.args) + repr(record.exc_info) for record in caplog.records)
    assert token not in msgspec.json.encode(snapshot).decode()
    assert token not in repr(source.trace) + repr(source.settings) + repr(vars(source))
    written = capfd.readouterr()
    assert token not in written.out + written.err


def test_the_address_of_tokeninfo_is_logged_without_its_token(ready, read, caplog):
    caplog.set_level(logging.DEBUG, "urllib3")
    read(ready)
    (line,) = [record.getMessage() for record in caplog.records if "/tokeninfo" in record.getMessage()]
    assert "access_token=…" in line


def test_representations():
    settings = LiveSettings.from_environ({"GOOGLE_OAUTH_ACCESS_TOKEN": "sesame"})
    assert settings.token == AccessToken("sesame")
    assert settings.token.reveal() == "sesame"
    assert "sesame" not in f"{settings} {settings!r} {settings.token} {find_credentials(settings)!r}"


@pytest.mark.parametrize("token", ["a b", "a\nb", "töken", "a\x00b"])
def test_what_is_no_token_is_refused_without_being_shown(token):
    with pytest.raises(CredentialsError) as refused:
        find_credentials(LiveSettings(token=AccessToken(token)))
    assert token not in refused.value.message + refused.value.hint
    assert "GOOGLE_OAUTH_ACCESS_TOKEN" in refused.value.message
