"""The sandbox's own paths outside Gong's API: faults on demand and a look at the state."""

from typing import Any, Final

from connector.object_types import ObjectType
from connector.sandbox.faults import Fault, FaultPlan
from connector.sandbox.http import Request, Response, json_answer, json_value
from connector.sandbox.refusal import Refusal
from connector.sandbox.world import World

PREFIX: Final = "/sandbox/"


def handle(world: World, faults: FaultPlan, request: Request) -> Response:
    """Answer a call under /sandbox/. There is no authentication: a sandbox holds nothing worth stealing.

    POST /sandbox/faults queues a fault (or an array of them), GET lists the waiting ones, DELETE forgets them;
    GET /sandbox/state counts objects, uploads and calls.
    """
    try:
        match request.method, request.path:
            case "POST", "/sandbox/faults":
                spec = json_value(request.text())
                faults.add(*_faults(spec if isinstance(spec, list) else [spec]))
                return _waiting(201, faults)
            case "GET", "/sandbox/faults":
                return _waiting(200, faults)
            case "DELETE", "/sandbox/faults":
                faults.clear()
                return _waiting(200, faults)
            case "GET", "/sandbox/state":
                return json_answer(200, state(world))
            case _:
                raise Refusal(404, "Known are GET, POST and DELETE /sandbox/faults and GET /sandbox/state")
    except Refusal as refusal:
        return json_answer(refusal.status, {"errors": list(refusal.messages)})


def state(world: World) -> dict[str, Any]:
    """Return counts of everything the world holds, by type."""
    uploads, calls = world.uploads(), world.calls()
    return {
        "integrations": [{"integrationId": item.id, "name": item.name} for item in world.integrations()],
        "objects": {name: len(world.objects(name)) for name in ObjectType},
        "visible": {name: len(world.visible(name)) for name in ObjectType},
        "uploads": {
            status: sum(upload.status == status for upload in uploads)
            for status in ("PENDING", "IN_PROGRESS", "DONE", "FAILED")
        },
        "lines": sum(upload.lines for upload in uploads),
        "calls": len(calls),
        "callsOverLimit": sum(call.over_limit for call in calls),
    }


def _waiting(status: int, faults: FaultPlan) -> Response:
    return json_answer(status, {"faults": [fault.as_json() for fault in faults.waiting()]})


def _faults(specs: list[Any]) -> list[Fault]:
    try:
        return [Fault.from_json(spec) for spec in specs]
    except ValueError as error:
        raise Refusal(400, str(error)) from error
