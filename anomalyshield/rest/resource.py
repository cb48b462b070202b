"""The base of every REST resource.

A method is declared once, by `@does`: its right, what it reads, what it answers. The manual, the
gate and the checks all come from that one line, so they cannot disagree:

    class Claim(Resource):
        refusals = (triage.Refused,)

        @does("claimAlert", "alert.work", AlertOut, versioned=True)
        def post(self, request: Request, pk: int) -> Alert:
            return triage.claim(by=request.user, alert=self.one(request, pk))
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from anomalyshield.problems import Problem
from anomalyshield.rest.shapes import Nothing

Handler = Callable[..., Any]
Shape = type[s.Serializer]
MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of what you read: 412 if it changed since",
)
NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of what you have: 304 if it is still so",
)


def does(
    name: str,
    action: str,
    answer: Shape | None,
    *,
    body: Shape | None = None,
    asked: Shape | None = None,
    status: int = 200,
    versioned: bool = False,
    refused: tuple[int, ...] = (),
    **manual: Any,
) -> Callable[[Handler], Handler]:
    """Declare a method of a resource.

    `name` is its operation id, `action` its right of `accounts/roles.py`. What is read arrives as
    `given` (the body) and `asked` (the query). `versioned` answers carry an ETag; reads then know
    If-None-Match and writes If-Match. `refused` are statuses besides those every method has.
    """

    def declare(method: Handler) -> Handler:
        reads = method.__name__ == "get"

        @wraps(method)
        def handler(self: "Resource", request: Request, **path: Any) -> HttpResponseBase:
            given = dict(path)
            if asked is not None:
                given["asked"] = read(asked, request.query_params.dict())
            sent = {} if reads else read(body or Nothing, request.data)
            if body is not None:
                given["given"] = sent
            if reads or not versioned:
                return self.answered(request, method(self, request, **given), versioned)
            with transaction.atomic():
                self.unchanged(request, **path)
                return self.answered(request, method(self, request, **given), versioned)

        handler.does, handler.shape, handler.status = action, answer, status
        others = (*refused, *((304,) if reads and versioned else ()))
        parameters = [*([asked] if asked else []), *_conditions(reads, versioned)]
        return extend_schema(
            operation_id=name,
            request=body,
            responses={status: answer, **dict.fromkeys(others)},
            parameters=parameters,
            **manual,
        )(handler)

    return declare


def _conditions(reads: bool, versioned: bool) -> list[OpenApiParameter]:
    return ([NONE_MATCH] if reads else [MATCH]) if versioned else []


class Resource(APIView):
    """One address. `refusals` are the exceptions by which its verbs say no: 409 in words."""

    actions: ClassVar[dict[str, str]] = {}
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "patch"]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        handlers = {name: getattr(cls, name, None) for name in ("get", "post", "patch")}
        rights = {
            name.upper(): handler.does
            for name, handler in handlers.items()
            if hasattr(handler, "does")
        }
        cls.actions = (
            cls.__dict__.get("actions", {})
            | rights
            | ({"HEAD": rights["GET"]} if "GET" in rights else {})
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.actions:
            raise MethodNotAllowed(request.method)
        super().initial(request, *args, **kwargs)

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, self.refusals):
            error = Problem(409, "refused", str(error))
        return super().handle_exception(error)

    def one(self, request: Request, pk: Any) -> Any:
        """The object of this address, if it is there for this person; else 404."""
        raise NotImplementedError

    def found(self, rows: QuerySet[Any], pk: Any) -> Any:
        """The one of these rows with this id; else 404."""
        return get_object_or_404(rows, pk=pk)

    def hides(self, user: Any) -> bool:
        """Whether personal values are masked for them."""
        return not user.may("alert.work")

    def unchanged(self, request: Request, **path: Any) -> None:
        """Hold the row and make sure that it is what the caller read, if they say what that was."""
        known = request.headers.get("If-Match", "").strip()
        if not known:
            return
        seen = self.one(request, **path)
        type(seen)._base_manager.select_for_update(no_key=True).get(pk=seen.pk)
        tag = etag_of(self.told(request, self.one(request, **path)))
        if known != "*" and tag not in _tags(known):
            raise Problem(412, "changed", "It changed since you read it. Read it again.")

    def told(self, request: Request, found: Any) -> Any:
        """What an answer says of `found`: the shape of the method that answers."""
        shape = getattr(self, request.method.lower().replace("head", "get")).shape
        if shape is None:
            return None
        user = request.user
        context = {"request": request, "user": user, "hidden": self.hides(user)}
        return shape(found, context=context).data

    def answered(self, request: Request, found: Any, versioned: bool) -> HttpResponseBase:
        if isinstance(found, HttpResponseBase):
            return found
        told = self.told(request, found)
        handler = getattr(self, request.method.lower().replace("head", "get"))
        if not versioned:
            # Secrets are told once, and lists are old at once: nothing between keeps them.
            return Response(told, handler.status, headers={"Cache-Control": "no-store"})
        headers = {"ETag": etag_of(told), "Cache-Control": "private, no-cache"}
        if request.method == "GET" and headers["ETag"] in _tags(
            request.headers.get("If-None-Match", "")
        ):
            return Response(status=304, headers=headers)
        return Response(told, handler.status, headers=headers)


class Download(APIView):
    """A file; whatever else is accepted, it is what it is."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)


def read(shape: Shape, sent: Any) -> dict[str, Any]:
    """What was sent, checked; 400 with the pointer of each field that is wrong."""
    given = shape(data=sent)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def etag_of(told: Any) -> str:
    """Changes with what is told, and with nothing else."""
    return f'"{hashlib.sha256(JSONRenderer().render(told)).hexdigest()[:32]}"'


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]
