"""Decides what an answer means for a file: pure functions from answer to outcome."""

from connector.gong.answer import Answer, NoAnswer
from connector.gong.outcomes import StatusOutcome, StatusResult, UploadOutcome, UploadResult
from connector.gong.shapes import WrongShape, read_request_status


def upload_outcome(
    answer: Answer | NoAnswer, request_id: str, sent_whole: bool, until: float | None, remedy: str
) -> UploadOutcome:
    """Return what POST /v2/crm/entities came to (GONG_API: "Calls").

    `sent_whole`: the whole body was handed over. `until`: when calls may go on after a 429. `remedy`: what to
    check after a 401. Where the answer is not plainly Gong's own, the outcome is AMBIGUOUS, never a guess.
    """
    if isinstance(answer, NoAnswer):
        if answer.denied:
            return UploadOutcome(UploadResult.DENIED, answer.words)
        result = UploadResult.AMBIGUOUS if answer.sent else UploadResult.UNREACHABLE
        return UploadOutcome(result, answer.words)
    match answer.status:
        case 401 | 403:
            return UploadOutcome(UploadResult.DENIED, answer.denied_words(remedy))
        case 429:
            return UploadOutcome(UploadResult.THROTTLED, answer.words(), until)
        case 413:
            # Whoever says so, a gateway with a page of its own included, this file will never pass.
            return UploadOutcome(UploadResult.REJECTED, answer.words())
        case 200 | 201:
            return _received(answer, request_id, sent_whole)
        case 409 if not answer.html:
            return UploadOutcome(UploadResult.CONFLICT, answer.words())
        case status if 400 <= status < 500 and status != 408 and not answer.html:
            return UploadOutcome(UploadResult.REJECTED, answer.words())
        case _:
            return UploadOutcome(UploadResult.AMBIGUOUS, answer.words())


def _received(answer: Answer, request_id: str, sent_whole: bool) -> UploadOutcome:
    if not sent_whole:
        return UploadOutcome(UploadResult.AMBIGUOUS, f"{answer.words()}, before the whole file was sent")
    if not isinstance(answer.document, dict):
        return UploadOutcome(UploadResult.AMBIGUOUS, f"{answer.words()}, without a readable answer")
    # 201 is Gong's word for it; any other 2xx counts only when it names this very request.
    named = answer.document.get("clientRequestId", request_id if answer.status == 201 else None)
    if named != request_id:
        return UploadOutcome(UploadResult.AMBIGUOUS, f"{answer.words()}, for another request id")
    return UploadOutcome(UploadResult.ACCEPTED, answer.words())


def status_outcome(answer: Answer | NoAnswer, until: float | None, remedy: str) -> StatusOutcome:
    """Return what GET /v2/crm/request-status came to; `until` and `remedy` as in `upload_outcome`.

    That an id is unknown must be Gong's own word, since a file may be sent again or given up on it: a web
    page with 404 is UNAVAILABLE.
    """
    if isinstance(answer, NoAnswer):
        return StatusOutcome(StatusResult.DENIED if answer.denied else StatusResult.UNAVAILABLE, answer.words)
    match answer.status:
        case 200:
            return _told(answer)
        case 401 | 403:
            return StatusOutcome(StatusResult.DENIED, answer.denied_words(remedy))
        case 429:
            return StatusOutcome(StatusResult.THROTTLED, answer.words(), until=until)
        case 400 | 404 if not answer.html:
            return StatusOutcome(StatusResult.UNKNOWN, answer.words())
        case _:
            return StatusOutcome(StatusResult.UNAVAILABLE, answer.words())


def _told(answer: Answer) -> StatusOutcome:
    try:
        request = read_request_status(answer.document)
    except WrongShape as fault:
        return StatusOutcome(StatusResult.UNAVAILABLE, f"{answer.words()}, unreadable: {fault}")
    return StatusOutcome(StatusResult.KNOWN, f"HTTP 200: {request.processing}", request=request)
