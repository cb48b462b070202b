"""allauth, with the front door closed: accounts are made by an admin."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import authenticate
from django.http import HttpRequest

from anomalyshield.accounts import throttle
from anomalyshield.accounts.models import User


class ClosedAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves, and nobody guesses quickly."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person, or None; refused unheard when too many tries came from there."""
        name, address = str(credentials.get("username", "")), request.META.get("REMOTE_ADDR")
        if throttle.wait_for(name, address):
            raise self.validation_error("too_many_login_attempts")
        user = authenticate(request, **credentials)
        if user is not None:
            throttle.forgive(name, address)
        return user

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """That one is in or out, one sees; only a changed password is worth words."""
        if "account/messages/password_changed.txt" in [*args, *kwargs.values()]:
            super().add_message(request, *args, **kwargs)
