"""The switches of the sandbox: what may be tuned, and every point where Gong's truth is unknown."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How this sandbox behaves. The defaults are the likeliest reading of the published API.

    Each docstring says what is not known of the real Gong, so that a test can play it both ways.
    """

    pending_seconds: float = 0.2
    """How long an accepted upload stays PENDING. Not published."""
    processing_seconds: float = 1.0
    """How long an upload is IN_PROGRESS, its lines aside. Not published."""
    seconds_per_line: float = 0.0001
    """What each line adds to the time IN_PROGRESS. Not published."""
    deletion_seconds: float = 5.0
    """How long an integration lives on after its DELETE was accepted; "up to 24 hours" is published."""

    calls_per_second: int | None = 3
    """Calls in any second for the whole company; None: no limit."""
    calls_per_day: int | None = 10_000
    """Calls in any 24 hours for the whole company; None: no limit. Whether Gong's day slides or starts at
    midnight is not published."""
    refused_calls_count: bool = False
    """Whether a call answered 429 uses up the limits too. Not published."""
    retry_after: Literal["seconds", "date", "junk", "absent"] = "seconds"
    """What `Retry-After` of a 429 holds. Seconds are published; proxies send dates or nothing."""

    access_token_seconds: float = 86_400
    """How long an access token is good. "About a day" is published."""
    names_scopes: bool = True
    """Whether the token endpoint's answer lists the granted scopes. Seen, not published."""
    refresh_ends_access: bool = False
    """Whether a refresh ends the access token that came before. Not published."""
    reuse_ends_authorisation: bool = False
    """Whether a refresh token that comes a second time ends all that was granted with it (RFC 6819 recommends it),
    or is merely refused. Not published."""
    token_calls_count: bool = False
    """Whether calls of the token endpoint use up the company's limits. Not published."""

    max_upload_bytes: int = 200_000_000
    """The largest data file. 200 MB is published, neither which megabyte nor the answer: here 400."""
    max_objects_read: int = 100
    """How many ids of one GET entities are answered."""
    max_errors_listed: int = 20
    """How many line errors request-status lists; the totals count all."""

    strict_object_id: bool = False
    """True: objectId is letters, digits and `-`, or an e-mail address (the current text). False: `_ . @ +`
    are allowed too (Gong's own examples hold underscores). Which one Gong enforces is not known."""
    unsorted_lines_fail: bool = True
    """Whether a line with an earlier modifiedDate than the line before is an error (the older reference) or
    taken (the current one does not speak of it)."""
    older_reference: bool = False
    """Whether the fields that only the older reference calls mandatory are so."""
    reject_unknown_parent: bool = False
    """Whether a CONTACT or DEAL whose account is unknown is a line error. False: stored, not shown until the
    account is there. The published text says "not processed", not how it is told."""
    keep_good_lines: bool = True
    """Whether a FAILED upload's good lines are applied. Both can be read out of the published text."""
    latest_by: Literal["modified", "arrival"] = "modified"
    """Which version is an object's current state: the highest modifiedDate (ties: the later arrival), or the
    one that arrived last. Whether an older version can overwrite a newer one is not published."""

    unknown_status: Literal[400, 404] = 404
    """The answer of request-status for an id that is not known (yet). Not published."""
    no_integration: Literal["empty", 404] = "empty"
    """The answer of GET integrations where there is none. Both were seen."""
    read_ids_from: Literal["either", "body", "query"] = "either"
    """Where GET entities takes the ids: `body` (415 without one), `query` (`objectsCrmIds`), or the body if
    there is one, else the query (neither: 415). The text and the structure of the API disagree."""
    answers_for_a_moment: bool = True
    """Whether GET entities takes the header `X-Sandbox-At` and shows what was then. Gong itself has no such call."""
    schema_name_key: Literal["uniqueName", "name"] = "uniqueName"
    """The key of a field's name in the answer of GET entity-schema; schema and example disagree."""
    schema_lists_standard_fields: bool = False
    """Whether GET entity-schema lists Gong's own fields beside the additional ones. Not published."""
    schema_upload_status: Literal[200, 201] = 201
    """The success of POST entity-schema; both are published."""
