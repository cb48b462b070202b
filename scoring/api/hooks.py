"""The door for webhooks of other systems: signed messages, each taken once."""

import json
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from anomalyshield import limits, strictjson
from anomalyshield.accounts.roles import PUBLIC
from anomalyshield.problems import Problem, problem_json
from scoring import accepting, hooks
from scoring.accepting import Accepted, Sent
from scoring.api.endpoint import received
from scoring.api.events import EventsOut, hold_back, told
from scoring.api.rows import MOST_ROWS
from scoring.models import Source

KINDS = frozenset({"application/json"})
HEADERS = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, description=words)
    for name, words in (
        ("webhook-id", "The message's own id; the same one is taken once"),
        ("webhook-timestamp", "Seconds since 1970; not older than five minutes"),
        ("webhook-signature", "v1,<base64 of HMAC-SHA256 over id.timestamp.body>"),
    )
]


class Hook(APIView):
    """Take a signed message of another system: 202 when it is stored, 200 when it was before.

    What a message holds may be an event, a list of them, or stand deeper in it, as the source
    says. A record that makes no sense is kept for whoever mends it: the sender need not know.
    """

    action: ClassVar[str] = PUBLIC

    @extend_schema(
        operation_id="sendWebhook",
        request={"application/json": OpenApiTypes.ANY},
        responses={202: EventsOut, 200: EventsOut, **dict.fromkeys((401, 403, 413, 415, 429, 503))},
        parameters=HEADERS,
    )
    def post(self, request: Request, name: str) -> HttpResponse:
        return self.dispatch(request, name=name)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method != "POST":
                raise Problem(405, "method_not_allowed", "Only POST is answered here.")
            done = taken(request, kwargs["name"])
        except Exception as error:
            answer = problem_json(error, {"request": request, "view": self})
            if answer.status_code == 405:
                answer["Allow"] = "POST"
            return answer
        status = 200 if done.again else 202
        return HttpResponse(json.dumps(told(done)), status=status, content_type="application/json")


def taken(request: HttpRequest, name: str) -> Accepted:
    """Check who sends, then whether there is room, then store. A forged one counts for nobody."""
    body = received(request, KINDS)
    door = hooks.door_of(name)
    try:
        message = hooks.verified(door, request.headers, body)
    except hooks.Incomplete as incomplete:
        raise Problem(400, "webhook_headers", str(incomplete), pointer="") from None
    except hooks.Unsigned as unsigned:
        raise Problem(401, "webhook_signature", str(unsigned)) from None
    assert door.source is not None  # verified() says so
    if wait := limits.wait_for(f"hook:{door.source.pk}", settings.RATE_LIMIT):
        raise Problem(429, "rate_limited", f"Go on in {wait} s.", retry_after=wait)
    hold_back()
    try:
        return accepting.accept(
            source=door.source,
            sent=records_of(door.source, body),
            door=Source.Kind.WEBHOOK,
            message=message,
        )
    except accepting.Inactive as inactive:
        raise Problem(403, "source_inactive", str(inactive)) from None


def records_of(source: Source, body: bytes) -> list[Sent]:
    """The records of a message. What cannot be read is one bad record: its sender signed it."""
    try:
        found = strictjson.loads(body)
        for step in filter(None, str(source.connection.get("records", "")).split(".")):
            found = found[step]
    except Problem as problem:
        return [Sent(body, wrong={"record": f"is not JSON: {problem.text}"})]
    except (KeyError, TypeError):
        return [Sent(body, wrong={"record": f"has nothing at {source.connection['records']}"})]
    rows = found if isinstance(found, list) else [found]
    if len(rows) > MOST_ROWS:
        return [Sent(body, wrong={"record": f"holds more than {MOST_ROWS:,} records"})]
    return [Sent(row) for row in rows]
