"""The first gate of every view: the action it stands for, and whether this person may do it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from anomalyshield.accounts.roles import ACTIONS, PUBLIC
from anomalyshield.audit.record import denied
from anomalyshield.context import asking, read_in

View = Callable[..., HttpResponse]


def allow(
    action: str, *, methods: tuple[str, ...] = ("GET", "HEAD", "POST")
) -> Callable[[View], View]:
    """Guard a page: anonymous people log in first, missing rights are 403 and leave a trace."""
    if action not in ACTIONS:
        raise LookupError(f"{action!r} is not in roles.ACTIONS")

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return to_login(request)
            if request.user.language:
                translation.activate(request.user.language)  # until the request ends
            if not request.user.may(action):
                denied(by=request.user, action=action, object=None, reason=request.path)
                raise PermissionDenied(action)
            if request.method not in methods and not (
                request.method == "HEAD" and "GET" in methods
            ):
                return _not_here(methods)
            with read_in(request.user.timezone):
                return view(request, *args, **kwargs)

        guarded.action, guarded.methods = action, methods
        return guarded

    return guard


def _not_here(methods: tuple[str, ...]) -> HttpResponse:
    """Whoever reloads the answer to a form stands here: in words, and with the way back."""
    context = {
        "title": _("Only a form leads here"),
        "sentence": _("This address does something and shows nothing. Go back to the page before."),
        "status": 405,
        "id": asking().request_id,
    }
    return HttpResponseNotAllowed(methods, render_to_string("errors/error.html", context))


def to_login(request: HttpRequest) -> HttpResponse:
    """To the log-in page, and from there back to a page that can be asked for again."""
    if getattr(request, "htmx", False):
        # A redirect would put the log-in form into the table that was to be refreshed.
        answer = HttpResponse(status=401)
        answer["HX-Redirect"] = resolve_url(settings.LOGIN_URL)
        return answer
    again = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return redirect_to_login(again)


def public(view: View) -> View:
    """A page for everyone, logged in or not."""
    view.action = PUBLIC
    return view


class RoleAllows(BasePermission):
    """A DRF view names its `action` (or `actions` by method); without one nobody gets in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "actions", {}).get(request.method) or getattr(view, "action", None)
        if action == PUBLIC:
            return True
        user = request.user
        if not (action and user and user.is_authenticated):
            return False
        if user.may(action):
            return True
        denied(by=user, action=action, object=None, reason=request.path)
        return False
