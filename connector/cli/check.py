"""`check`: what is wrong, in words, one line a finding."""

from collections.abc import Iterator

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import beside, count, say
from connector.cli.parts import looking
from connector.engine.alerts import trial_text
from connector.engine.checkup import Finding, Level, examine
from connector.errors import ConfigError, ConfigProblems
from connector.settings import Settings, unknown_settings
from connector.webhook import Webhook, WebhookFailed

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.PROBLEM: "bold red"}


def check(*, alert: bool, as_json: bool) -> Status:
    """Look everything over, and say what was found as it is found; with `alert`, try the webhook as well."""
    found: list[Finding] = []
    for finding in _findings(alert=alert):
        found.append(finding)
        if not as_json:
            beside((f"{finding.level:<8}", f"{finding.about:<9}"), finding.text, _STYLES[finding.level])
    problems = [finding for finding in found if finding.level is Level.PROBLEM]
    warnings = sum(finding.level is Level.WARN for finding in found)
    if as_json:
        write_json([{"level": one.level, "about": one.about, "text": one.text} for one in found])
    else:
        total = f"{count(len(problems), 'problem')}, {count(warnings, 'warning')}."
        say()
        say(total, "bold red" if problems else "bold green")
    if not problems:
        return Status.WELL
    return Status.WRONG if any(finding.configuration for finding in problems) else Status.FAILED


def _findings(*, alert: bool) -> Iterator[Finding]:
    try:
        with looking() as wiring:
            yield Finding(Level.OK, "settings", "can be read")
            for problem in unknown_settings():
                yield Finding(Level.WARN, "settings", str(problem))
            yield from examine(wiring)
            if alert:
                yield _tried(wiring.settings)
    except ConfigError as error:
        texts = [str(problem) for problem in error.problems] if isinstance(error, ConfigProblems) else [str(error)]
        for text in texts:
            yield Finding(Level.PROBLEM, "settings", text, configuration=True)


def _tried(settings: Settings) -> Finding:
    """Send a word to the webhook."""
    url = settings.alert_webhook_url
    if url is None:
        return Finding(Level.PROBLEM, "webhook", "none is set: give CONNECTOR_ALERT_WEBHOOK_URL", configuration=True)
    try:
        Webhook(url.get_secret_value()).post(trial_text(), {"incidents": []})
    except WebhookFailed as error:
        return Finding(Level.PROBLEM, "webhook", f"{error}: is CONNECTOR_ALERT_WEBHOOK_URL right?")
    return Finding(Level.OK, "webhook", "it took a message")
