"""What makes a finding the same one in the next run, for the services that follow findings over time."""

import hashlib
import json

from preflight.report import Finding, Report


def fingerprint(report: Report, finding: Finding) -> str:
    """64 hexadecimal digits that stay while the rule, the project and what was asked about it stay.

    Neither lines, times nor words are in it: a rule answers once a report, so that these name the finding, and it
    stays the same when a file is edited, the message gets better words, or what failed could not be seen this time.
    """
    target = report.target
    named = (finding.rule, report.profile, target.project, target.principal, target.dataset)
    return hashlib.sha256(json.dumps(named).encode("ascii")).hexdigest()
