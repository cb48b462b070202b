"""The first gate of every view: the action it stands for, and whether this person may do it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from anomalyshield.accounts.roles import ACTIONS, PUBLIC
from anomalyshield.audit.record import denied

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
                return redirect_to_login(request.get_full_path())
            if not request.user.may(action):
                denied(by=request.user, action=action, object=None, reason=request.path)
                raise PermissionDenied(action)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, *args, **kwargs)

        guarded.action = action
        return guarded

    return guard


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
