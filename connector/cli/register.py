"""`register`: the integration in Gong, once."""

from connector.cli.exits import Status
from connector.cli.output import say
from connector.cli.parts import working


def register(*, adopt: bool) -> Status:
    """Register or adopt the integration, and say its id."""
    with working() as wiring:
        file = wiring.mapping_file
        wiring.binding.check()
        client = wiring.client
        known = wiring.binding.integration_id
        other = wiring.try_lease()
        if other is not None and known is not None:
            say(f"Registered already: integration {known}; {other} is at work for it.")
            return Status.WELL
        wiring.take_lease()
        integration_id, is_new = wiring.binding.register(client, file.integration_name, file.owner_email, adopt=adopt)
    if is_new:
        say(f"Registered {file.integration_name!r} in Gong: integration {integration_id}.")
    elif known == integration_id:
        say(f"Registered already: integration {integration_id}.")
    else:
        say(f"Taken over from Gong, where it was registered already: integration {integration_id}.")
    say("Next: `gong-connector sync` for the first load, or `gong-connector run` to keep syncing.")
    return Status.WELL
