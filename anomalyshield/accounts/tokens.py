"""Tokens for programs that act as a person: log in, refresh, log out."""

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from anomalyshield.accounts import throttle
from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import PUBLIC
from anomalyshield.accounts.sessions import end_tokens
from anomalyshield.audit.record import denied, record
from anomalyshield.rest.shapes import Strict, Text

UNKNOWN = "No active account with these credentials."  # the same for a wrong name and password
USELESS = "This refresh token is not valid."  # the same for every reason


class LoginIn(Strict):
    """A person's name and password."""

    username = Text(max_length=150)
    password = Text(max_length=1024, trim_whitespace=False)


class RefreshIn(Strict):
    """A refresh token that was not used yet."""

    refresh_token = Text(max_length=4096)


class TokenOut(serializers.Serializer):
    access_token = serializers.CharField()
    token_type = serializers.CharField(help_text="bearer")
    expires_in = serializers.IntegerField(help_text="Seconds the access token works")
    refresh_token = serializers.CharField(help_text="Works once, for new tokens")


class Refreshing(RefreshToken):
    """A refresh token that works once: whoever brings a used one ends the whole family."""

    def check_blacklist(self) -> None:
        try:
            super().check_blacklist()
        except TokenError:
            self.betrayed()
            raise

    def betrayed(self) -> None:
        """Used twice: either it was stolen or its thief was quicker, so nothing of it lives on."""
        user = User.objects.filter(pk=self.payload.get("user_id")).first()
        end_tokens(user and user.pk)
        denied(by=user or "unknown", action="session.refused", object=user, reason="reused token")


class Door(APIView):
    """What the three endpoints share: nobody needs to be someone yet."""

    action = PUBLIC
    authentication_classes = ()


class Login(Door):
    """Exchange a name and a password for tokens."""

    @extend_schema(operation_id="logIn", request=LoginIn, responses={200: TokenOut, 429: None})
    def post(self, request: Request) -> Response:
        given = LoginIn(data=request.data)
        given.is_valid(raise_exception=True)
        name, address = given.validated_data["username"], request.META.get("REMOTE_ADDR")
        if wait := throttle.wait_for(name, address):
            raise Throttled(wait=wait)
        user = authenticate(request._request, **given.validated_data)
        if user is None:
            raise AuthenticationFailed(UNKNOWN)
        throttle.forgive(name, address)
        record(by=user, action="session.opened", object=user, reason="token")
        return Response(tokens_for(user))


class Refresh(Door):
    """Exchange a refresh token for new tokens; each works once."""

    @extend_schema(operation_id="refreshTokens", request=RefreshIn, responses=TokenOut)
    def post(self, request: Request) -> Response:
        token = used_up(request)
        user = User.objects.filter(pk=token.get("user_id"), is_active=True).first()
        claim = token.get(api_settings.REVOKE_TOKEN_CLAIM)
        if user is None or claim != get_md5_hash_password(user.password):
            raise AuthenticationFailed(USELESS)
        return Response(tokens_for(user))


class Logout(Door):
    """Make a refresh token useless."""

    @extend_schema(operation_id="logOut", request=RefreshIn, responses={204: None})
    def post(self, request: Request) -> Response:
        used_up(request)
        return Response(status=204)


def tokens_for(user: User) -> dict[str, object]:
    refresh = RefreshToken.for_user(user)
    # The library keeps the token itself; its number is enough to end it, and of no use to a thief.
    OutstandingToken.objects.filter(jti=refresh["jti"]).update(token="")
    access = refresh.access_token
    return {
        "access_token": str(access),
        "token_type": "bearer",
        "expires_in": int(access.lifetime.total_seconds()),
        "refresh_token": str(refresh),
    }


def used_up(request: Request) -> RefreshToken:
    """The token of the body, which worked for the last time; of two at once, one wins."""
    given = RefreshIn(data=request.data)
    given.is_valid(raise_exception=True)
    try:
        token = Refreshing(given.validated_data["refresh_token"])
    except TokenError as error:
        raise AuthenticationFailed(USELESS) from error
    _, first = token.blacklist()
    if not first:
        token.betrayed()
        raise AuthenticationFailed(USELESS)
    return token
