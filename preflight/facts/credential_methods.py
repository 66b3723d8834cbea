"""What credentials may call to get a token: a list apart from that of the methods that read facts."""

from preflight.facts.methods import ApiMethod

OAUTH_TOKEN = ApiMethod(
    "oauth2.token",
    "oauth2.googleapis.com",
    "POST",
    "/token",
    "",
    "",
    (),
    "",
    "an access token for a user's or a service account's credentials",
)
STS_TOKEN = ApiMethod(
    "sts.token",
    "sts.googleapis.com",
    "POST",
    "/v1/token",
    "",
    "",
    (),
    "",
    "an access token for another cloud's or company's own token (workload identity federation)",
)
STS_OAUTH_TOKEN = ApiMethod(
    "sts.oauthtoken",
    "sts.googleapis.com",
    "POST",
    "/v1/oauthtoken",
    "",
    "",
    (),
    "",
    "an access token for somebody who signed in through a workforce pool",
)
SUBJECT_TOKEN = ApiMethod(
    "external.subjectToken",
    "",
    "GET",
    "",
    "",
    "",
    (),
    "",
    "the other cloud's token, at the address that the credentials' file names",
)
METADATA = ApiMethod(
    "metadata.get",
    "metadata.google.internal",
    "GET",
    "/computeMetadata/v1/",
    "",
    "",
    (),
    "",
    "an access token of the machine's service account, on Google Cloud itself",
)
GENERATE_ACCESS_TOKEN = ApiMethod(
    "iamcredentials.projects.serviceAccounts.generateAccessToken",
    "iamcredentials.googleapis.com",
    "POST",
    "/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
    "",
    "iam.serviceAccounts.getAccessToken",
    ("service_account",),
    "roles/iam.serviceAccountTokenCreator",
    "an access token of the service account that is impersonated",
)

CREDENTIAL_CALLS = (OAUTH_TOKEN, STS_TOKEN, STS_OAUTH_TOKEN, SUBJECT_TOKEN, METADATA, GENERATE_ACCESS_TOKEN)
"""What credentials may call to get a token, on a session of their own that refuses all else; `tokeninfo`, which
tells whose token it is, is among `ALLOWED`. They make tokens and change nothing. Of each only the addresses that
the credentials at hand need are open: Google's own, or those that the credentials' file names."""
