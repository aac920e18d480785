"""`pause` and `resume`: a type that is neither read nor uploaded for a while."""

from connector.cli.exits import Status
from connector.cli.output import moment, say
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.operations import PAUSE, RESUME, PauseArguments
from connector.object_types import ObjectType


def pause(object_type: ObjectType) -> Status:
    """Pause a type, and say what that means."""
    with working() as wiring:
        since = perform(wiring, PAUSE, PauseArguments(object_type)).since
    already = "" if since is None else f" already, since {moment(since)}"
    say(f"{object_type} is paused{already}: neither read nor uploaded. What Gong has already is followed to its end.")
    say(f"Next: `gong-connector resume {object_type}`; it goes on where it stopped.")
    return Status.WELL


def resume(object_type: ObjectType) -> Status:
    """End a type's pause."""
    with working() as wiring:
        since = perform(wiring, RESUME, PauseArguments(object_type)).since
    if since is None:
        say(f"{object_type} is not paused.")
    else:
        say(f"{object_type} was paused since {moment(since)}. The next `gong-connector sync` or the daemon catches up.")
    return Status.WELL
