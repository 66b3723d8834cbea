"""The APIs that the vendor calls are enabled."""

from preflight import (
    ApiDisabled,
    Datasets,
    Evidence,
    Maybe,
    NotCollected,
    Profile,
    Remedy,
    Services,
    ServiceState,
    Severity,
    Target,
    Unknown,
    Verdict,
    console,
    failed,
    hcl,
    passed,
    rule,
    shell,
    unknown,
)

BIGQUERY = "bigquery.googleapis.com"


@rule(
    title="The BigQuery API is enabled",
    why="Every call that the vendor makes is refused while the API is off.",
    severity=Severity.REQUIRED,
    requirements=("H3",),
    since="0.1",
    order=30,
)
def api_is_enabled(services: Maybe[Services], datasets: Maybe[Datasets], profile: Profile, target: Target) -> Verdict:
    """Asks Service Usage about each API of the profile. Where that can't be read, BigQuery's own answer settles
    it: it lists datasets only if its API is on, and says so if it is off."""
    on: list[Evidence] = []
    off: dict[str, tuple[Evidence, ...]] = {}
    open_: list[Unknown] = []
    for api in profile.apis:
        service = services if isinstance(services, Unknown) else services.services.get(api, _not_asked(api))
        if isinstance(service, Unknown):
            answer = _bigquery_says(datasets, target) if api == BIGQUERY else None
            if answer is None:
                open_.append(service)
            elif isinstance(answer, Evidence):
                on.append(answer)
            else:
                off[api] = answer
        elif service.state is ServiceState.ENABLED:
            on.append(service.seen("name", "state"))
        else:
            off[api] = (service.seen("name", "state"),)
    if off:
        return failed(
            f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} not enabled in {target.project}",
            *(evidence for seen in off.values() for evidence in seen),
            remedy=_enable(tuple(off), target.project),
        )
    if open_:
        first = open_[0]
        return unknown(first.reason.describe(), first.reason, *(e for u in open_ for e in u.seen()))
    return passed(f"{' and '.join(profile.apis)} enabled", *on)


def _not_asked(api: str) -> Unknown:
    return Unknown(NotCollected(f"whether {api} is enabled was not asked"))


def _bigquery_says(datasets: Maybe[Datasets], target: Target) -> Evidence | tuple[Evidence, ...] | None:
    """Evidence that the API is on; evidence, in a tuple, that it is off; None if it said neither."""
    if not isinstance(datasets, Unknown):
        return datasets.provenance.saw("BigQuery answered, so its API is on") if datasets.api_answered else None
    reason = datasets.reason
    if isinstance(reason, ApiDisabled) and reason.api == BIGQUERY and not reason.quota_project:
        return datasets.seen()
    return None


def _enable(apis: tuple[str, ...], project: str) -> Remedy:
    return Remedy(
        summary="Enable the API; it takes a minute or two to act.",
        commands=(shell("gcloud", "services", "enable", *apis, f"--project={project}"),),
        terraform="\n\n".join(
            f'resource "google_project_service" "{api.partition(".")[0]}" {{\n'
            f"  project            = {hcl(project)}\n"
            f"  service            = {hcl(api)}\n"
            "  disable_on_destroy = false\n"
            "}"
            for api in apis
        ),
        console_url=console(f"apis/library/{apis[0]}", project),
    )
