"""Every command with its arguments and help. What a command does lies in a module of its own, loaded only then.

So `--help` stays quick, and this file shows the whole command line at a glance.
"""

from pathlib import Path

import click

from connector.cli.exits import Status
from connector.object_types import ObjectType

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _type(name: str) -> ObjectType:
    """Read one of Gong's object types, in capitals or not."""
    try:
        return ObjectType(name.upper())
    except ValueError:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(ObjectType)}") from None


def _example(arguments: str) -> str:
    """Return what stands at the end of a command's help."""
    return f"Example: gong-connector {arguments}"


class _InOrder(click.Group):
    """Lists commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(self.commands)


@click.group(cls=_InOrder, context_settings=_CONTEXT)
@click.version_option(package_name="gong-connector", prog_name="gong-connector")
def commands() -> None:
    """Keep Gong equal to a CRM that lives in a SQL database.

    Settings come from the environment (CONNECTOR_...), a .env file, or files in CONNECTOR_SECRETS_DIR.

    Exit status: 0 all well; 1 failed; 2 wrong usage or configuration; 3 done, but something was refused, is held,
    or was still unsettled at --timeout.
    """


@commands.command(epilog=_example("demo --keep"))
@click.option("--keep", is_flag=True, help="Keep sandbox and daemon running, with live changes, until Ctrl-C.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to put the demo's files, kept afterwards; a temporary directory by default.",
)
def demo(keep: bool, directory: Path | None) -> Status:
    """Show everything at work: a demo CRM, a Gong of its own, first load, live changes, a bad line mended.

    Needs no settings, no network and no Gong account.
    """
    from connector.cli.demo import demo as work

    return work(keep=keep, directory=directory)


def _tables(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[ObjectType, str | None]:
    """Read TYPE=TABLE; without a table the type is left out."""
    found: dict[ObjectType, str | None] = {}
    for one in given:
        name, sign, table = one.partition("=")
        if not sign:
            raise click.BadParameter(f"{one!r} is not TYPE=TABLE, such as ACCOUNT=clients")
        found[_type(name)] = table or None
    return found


@commands.command(epilog=_example("init --yes --owner-email revops@acme.example --table LEAD="))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; CONNECTOR_MAPPING by default, - for stdout.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--yes", is_flag=True, help="Do not ask: take what is proposed.")
@click.option("--name", help="The integration's name in Gong.")
@click.option("--owner-email", metavar="ADDRESS", help="The Gong user who owns the integration.")
@click.option("--timezone", metavar="ZONE", help="Of times without offset; UTC by default.")
@click.option(
    "--table",
    "tables",
    metavar="TYPE=TABLE",
    multiple=True,
    callback=_tables,
    help="The table that holds a type; `TYPE=` leaves the type out. May be repeated.",
)
@click.option("--generic", is_flag=True, help="Propose a mapping even for a CRM that has a ready-made one.")
def init(
    output: Path | None,
    force: bool,
    yes: bool,
    name: str | None,
    owner_email: str | None,
    timezone: str | None,
    tables: dict[ObjectType, str | None],
    generic: bool,
) -> Status:
    """Look at the CRM's database and write a first mapping file, with its reasons as comments.

    A CRM that is known gets its ready-made mapping. On a terminal it asks; elsewhere, and with --yes, it takes what
    it proposes. It reads the catalog and some hundred rows of each table, writes nothing but the file, and needs no
    Gong.
    """
    from connector.cli.init import init as work

    return work(
        output=output,
        force=force,
        yes=yes,
        name=name,
        owner_email=owner_email,
        timezone=timezone,
        tables=tables,
        generic=generic,
    )


@commands.command(epilog=_example("check"))
@click.option("--alert", is_flag=True, help="Send a word to the webhook (CONNECTOR_ALERT_WEBHOOK_URL) to try it.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array of findings: level, about, text.")
def check(alert: bool, as_json: bool) -> Status:
    """Say what is wrong with settings, source, mapping, credentials and schema; changes nothing."""
    from connector.cli.check import check as work

    return work(alert=alert, as_json=as_json)


@commands.command(epilog=_example("preview DEAL --limit 3"))
@click.argument("object_type", metavar="TYPE", type=_type)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="Rows to show at most.")
@click.option("--id", "object_id", help="Only the row with this key, and why it is or is not sent.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, as they would be uploaded.")
def preview(object_type: ObjectType, limit: int, object_id: str | None, as_json: bool) -> Status:
    """Show the lines that would be sent for a TYPE of object; sends nothing, needs no Gong."""
    from connector.cli.preview import preview as work

    return work(object_type, limit, object_id, as_json=as_json)


@commands.command(epilog=_example("validate --type DEAL --json"))
@click.option(
    "--type", "types", metavar="TYPE", multiple=True, type=_type, help="Only this type of object; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with stable keys, for CI.")
def validate(types: tuple[ObjectType, ...], as_json: bool) -> Status:
    """Read everything, and count what would be refused or not shown, and why; sends nothing, needs no Gong.

    Ends with 3 when a row would be refused, or a key stands twice.
    """
    from connector.cli.validate import validate as work

    return work(types, as_json=as_json)


@commands.command(epilog=_example("plan"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object with stable keys.")
def plan(as_json: bool) -> Status:
    """Say what the first load, a changed mapping and a day of syncing come to, against the quota.

    Counts rows, samples some of each source, and asks Gong nothing.
    """
    from connector.cli.plan import plan as work

    return work(as_json=as_json)


@commands.command(epilog=_example("login"))
@click.option("--paste", is_flag=True, help="Ask for the address that the browser was sent to, instead of listening.")
def login(paste: bool) -> Status:
    """Have a person authorise the connector in Gong, by OAuth; needs CONNECTOR_GONG_OAUTH_CLIENT_ID and its secret.

    Once is enough: the connector renews what Gong grants by itself. Ends with 3 when Gong left out a scope.
    """
    from connector.cli.login import login as work

    return work(paste=paste)


@commands.command(epilog=_example("register"))
@click.option("--adopt", is_flag=True, help="Take over the registered integration even if it has another name.")
def register(adopt: bool) -> Status:
    """Register the integration in Gong, or adopt the registered one of the same name."""
    from connector.cli.register import register as work

    return work(adopt=adopt)


@commands.command(epilog=_example("unregister"))
@click.option("--yes", is_flag=True, help="Do not ask.")
def unregister(yes: bool) -> Status:
    """Delete the integration from Gong with all its objects and fields; asks first. A running daemon ends."""
    from connector.cli.unregister import unregister as work

    return work(sure=yes)


@commands.group(epilog=_example("schema plan"))
def schema() -> None:
    """Gong's additional fields: the difference from the mapping, and making it right."""


@schema.command("plan", epilog=_example("schema plan"))
@click.option("--json", "as_json", is_flag=True, help="A JSON array of changes.")
def schema_plan(as_json: bool) -> Status:
    """Show what tells Gong's additional fields from the mapping."""
    from connector.cli.schema import plan as work

    return work(as_json=as_json)


@schema.command("apply", epilog=_example("schema apply"))
@click.option(
    "--allow-destructive",
    is_flag=True,
    help="Also change types and remove fields that the mapping does not have. Gong drops their data.",
)
def schema_apply(allow_destructive: bool) -> Status:
    """Make Gong's additional fields what the mapping says; data is destroyed only with --allow-destructive."""
    from connector.cli.schema import apply as work

    return work(destructive=allow_destructive)


@commands.command(epilog=_example("sync --type ACCOUNT --timeout 600"))
@click.option(
    "--type", "types", metavar="TYPE", multiple=True, type=_type, help="Only this type of object; may be repeated."
)
@click.option("--no-wait", is_flag=True, help="Return when everything is uploaded; do not wait for Gong to settle.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Return after this long at the latest."
)
def sync(types: tuple[ObjectType, ...], no_wait: bool, timeout: float | None) -> Status:
    """Make one pass: the first load where there was none, changes otherwise; waits until Gong has settled it."""
    from connector.cli.sync import sync as work

    return work(types, wait=not no_wait, timeout=timeout)


@commands.command(epilog=_example("reconcile --type CONTACT"))
@click.option(
    "--type", "types", metavar="TYPE", multiple=True, type=_type, help="Only this type of object; may be repeated."
)
def reconcile(types: tuple[ObjectType, ...]) -> Status:
    """Compare the whole source with what Gong was told: finds missed changes and rows that are gone, and sends them."""
    from connector.cli.reconcile import reconcile as work

    return work(types)


@commands.command(epilog=_example("approve 3"))
@click.argument("hold_id", metavar="[ID]", type=click.IntRange(min=1), required=False)
@click.option("--json", "as_json", is_flag=True, help="The list as one JSON object with stable keys.")
def approve(hold_id: int | None, as_json: bool) -> Status:
    """Let through what the guard holds under this ID; without an ID, list what is held and what was let through.

    Its rows are looked at once more before anything is sent. Who let it through, and when, is kept.
    """
    from connector.cli import approve as work

    return work.list_holds(as_json=as_json) if hold_id is None else work.approve(hold_id)


@commands.command(epilog=_example("resend DEAL --id 4711"))
@click.argument("object_type", metavar="TYPE", type=_type)
@click.option("--id", "ids", metavar="ID", multiple=True, help="Only the object with this id; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Every object of the type; asks first on a terminal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def resend(object_type: ObjectType, ids: tuple[str, ...], everything: bool, yes: bool) -> Status:
    """Send again what Gong was already told, though the rows of this TYPE did not change."""
    if bool(ids) == everything:
        raise click.UsageError("Say which objects: --id ID, or --all")
    from connector.cli.resend import resend as work

    return work(object_type, ids or None, sure=yes)


def _moment(text: str) -> int:
    from connector.cli.backfill import moment_of

    return moment_of(text)


@commands.command(epilog=_example("backfill DEAL --since 2025-01-01 --dry-run"))
@click.argument("object_type", metavar="TYPE", type=_type)
@click.option("--since", metavar="TIME", type=_moment, help="Of what was before, only what was true then (UTC).")
@click.option("--until", metavar="TIME", type=_moment, help="Nothing that came later (UTC).")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent, and what it would cost.")
@click.option("--stop", is_flag=True, help="End the backfill of this TYPE that is under way.")
def backfill(object_type: ObjectType, since: int | None, until: int | None, dry_run: bool, stop: bool) -> Status:
    """Send the history that the CRM kept of a TYPE, so that Gong shows its objects as they were.

    A plan comes first. An interrupted backfill goes on where it was when the command is given again.
    """
    if stop and (dry_run or since is not None or until is not None):
        raise click.UsageError("--stop stands alone")
    from connector.cli import backfill as work

    return work.stop(object_type) if stop else work.backfill(object_type, since, until, dry_run=dry_run)


@commands.command(epilog=_example("verify DEAL --limit 500 --repair"))
@click.argument("types", metavar="[TYPE]...", nargs=-1, type=_type)
@click.option("--id", "ids", metavar="ID", multiple=True, help="Only the object with this id; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="Objects of each type at most; all by default.")
@click.option("--repair", is_flag=True, help="Send again what differs, and compare that once more.")
@click.option(
    "--at", metavar="TIME", type=_moment, help="Compare what is shown for that moment with the history (UTC)."
)
@click.option(
    "--sample", type=click.IntRange(min=1), help="With --at: draw so many objects of each type; 100 by default."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with stable keys.")
def verify(
    types: tuple[ObjectType, ...],
    ids: tuple[str, ...],
    limit: int | None,
    repair: bool,
    at: int | None,
    sample: int | None,
    as_json: bool,
) -> Status:
    """Read objects back from Gong, 100 a call, and compare them with what their rows say.

    Gong reads back accounts, contacts, deals and leads only. Ends with 3 when something differs, and still does after
    --repair, or when the quota ended it early. Only the sandbox can be asked --at a moment: with Gong itself, what the
    history says of it is listed, and the end is 1.
    """
    if ids and len(types) != 1:
        raise click.UsageError("--id needs the one TYPE that the object is of")
    if at is None and sample is not None:
        raise click.UsageError("--sample goes with --at; else --limit says how many objects are compared")
    if at is not None:
        if repair or limit is not None or (ids and sample is not None):
            raise click.UsageError("--at goes with --sample or --id: neither with --limit nor with --repair")
        from connector.cli.verify_at import verify_at

        return verify_at(at, types, list(dict.fromkeys(ids)) or None, sample, as_json=as_json)
    from connector.cli.verify import verify as work

    return work(types, list(dict.fromkeys(ids)) or None, limit, repair=repair, as_json=as_json)


@commands.command(epilog=_example("pause DEAL"))
@click.argument("object_type", metavar="TYPE", type=_type)
def pause(object_type: ObjectType) -> Status:
    """Neither read nor upload a TYPE of object until `resume`; the others go on."""
    from connector.cli.pause import pause as work

    return work(object_type)


@commands.command(epilog=_example("resume DEAL"))
@click.argument("object_type", metavar="TYPE", type=_type)
def resume(object_type: ObjectType) -> Status:
    """End the pause of a TYPE: it goes on where it stopped."""
    from connector.cli.pause import resume as work

    return work(object_type)


@commands.command("run", epilog=_example("run"))
def run_daemon() -> Status:
    """Keep syncing until SIGTERM or Ctrl-C. A second one on the same ledger stands by."""
    from connector.cli.daemon import run as work

    return work()


@commands.command(epilog=_example("status --json"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object with stable keys.")
def status(as_json: bool) -> Status:
    """Say how everything stands: what Gong has, what waits and why, what was refused, calls used."""
    from connector.cli.status import status as work

    return work(as_json=as_json)


@commands.group(epilog=_example("failures list --type DEAL"))
def failures() -> None:
    """Objects whose latest line the connector or Gong refused, and why."""


@failures.command("list", epilog=_example("failures list --type DEAL"))
@click.option("--type", "object_type", metavar="TYPE", type=_type, help="Only this type of object.")
@click.option("--history", is_flag=True, help="Versions that `backfill` skipped, in place of objects.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array of objects with stable keys.")
def failures_list(object_type: ObjectType | None, history: bool, as_json: bool) -> Status:
    """List refused objects, the latest first."""
    from connector.cli import failures as work

    return (work.list_history if history else work.list_failures)(object_type, as_json=as_json)


@failures.command("show", epilog=_example("failures show DEAL 4711"))
@click.argument("object_type", metavar="TYPE", type=_type)
@click.argument("object_id", metavar="ID")
def failures_show(object_type: ObjectType, object_id: str) -> Status:
    """Show all that is known of one refused object, and what can be done."""
    from connector.cli.failures import show as work

    return work(object_type, object_id)


@failures.command("retry", epilog=_example("failures retry --type DEAL --id 4711"))
@click.option("--type", "object_type", metavar="TYPE", type=_type, help="Only this type of object.")
@click.option("--id", "object_id", help="Only the object with this id.")
@click.option("--all", "everything", is_flag=True, help="Every refused object (of the type).")
def failures_retry(object_type: ObjectType | None, object_id: str | None, everything: bool) -> Status:
    """Have refused objects read and sent again by the next pass, though their rows did not change."""
    if (object_id is not None) == everything:
        raise click.UsageError("Say which objects: --id ID, or --all")
    from connector.cli.failures import retry as work

    return work(object_type, object_id)


@commands.command(epilog=_example("sandbox --port 8089"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8089, show_default=True, help="Port; 0: any free one.")
@click.option(
    "--data", type=click.Path(path_type=Path, dir_okay=False), help="File that keeps the state; in memory by default."
)
@click.option("--pending-seconds", type=click.FloatRange(min=0), default=0.2, show_default=True, help="Time PENDING.")
@click.option(
    "--processing-seconds", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Time IN_PROGRESS."
)
@click.option("--no-rate-limit", is_flag=True, help="Take any number of calls, instead of 3 a second and 10,000 a day.")
def sandbox(
    host: str, port: int, data: Path | None, pending_seconds: float, processing_seconds: float, no_rate_limit: bool
) -> Status:
    """Serve a Gong of your own to try things on: the CRM API with its rules, limits and delays.

    It takes the key in CONNECTOR_GONG_ACCESS_KEY and CONNECTOR_GONG_ACCESS_KEY_SECRET; without them it takes
    `sandbox` and `sandbox-secret`. For OAuth it knows the app in CONNECTOR_GONG_OAUTH_CLIENT_ID and
    CONNECTOR_GONG_OAUTH_CLIENT_SECRET, or `sandbox-app` and `sandbox-app-secret`; whoever asks it consents.
    """
    from connector.cli.sandbox import sandbox as work

    return work(host, port, data, pending_seconds, processing_seconds, rate_limit=not no_rate_limit)
