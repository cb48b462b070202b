"""Tokens for programs that act as a person: log in, refresh, log out."""

from django.contrib.auth import authenticate
from django.core.cache import cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import PUBLIC
from anomalyshield.audit.record import record

TRIES, WINDOW = 10, 300  # failures per name and address in five minutes
UNKNOWN = "No active account with these credentials."  # the same for a wrong name and password


class LoginIn(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class RefreshIn(serializers.Serializer):
    refresh_token = serializers.CharField(max_length=4096)


class TokenOut(serializers.Serializer):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds")
    refresh_token = serializers.CharField()


def answer(refresh: RefreshToken) -> dict[str, object]:
    access = refresh.access_token
    return {
        "access_token": str(access),
        "token_type": "bearer",
        "expires_in": int(access.lifetime.total_seconds()),
        "refresh_token": str(refresh),
    }


class Login(APIView):
    """Exchange a name and a password for tokens."""

    action = PUBLIC
    authentication_classes = ()

    @extend_schema(request=LoginIn, responses=TokenOut)
    def post(self, request: Request) -> Response:
        given = LoginIn(data=request.data)
        given.is_valid(raise_exception=True)
        username = given.validated_data["username"]
        tries = f"login:{request.META.get('REMOTE_ADDR')}:{username.lower()}"
        if cache.get(tries, 0) >= TRIES:
            raise Throttled(wait=WINDOW)
        user = authenticate(request._request, **given.validated_data)
        if user is None:
            cache.set(tries, cache.get(tries, 0) + 1, WINDOW)
            raise AuthenticationFailed(UNKNOWN)
        cache.delete(tries)
        record(by=user, action="session.opened", object=user, reason="token")
        return Response(answer(RefreshToken.for_user(user)))


class Refresh(APIView):
    """Exchange a refresh token for new tokens; each works once."""

    action = PUBLIC
    authentication_classes = ()

    @extend_schema(request=RefreshIn, responses=TokenOut)
    def post(self, request: Request) -> Response:
        token = _token(request)
        user = User.objects.filter(pk=token.get("user_id"), is_active=True).first()
        token.blacklist()
        if user is None:
            raise AuthenticationFailed(UNKNOWN)
        return Response(answer(RefreshToken.for_user(user)))


class Logout(APIView):
    """Make a refresh token useless."""

    action = PUBLIC
    authentication_classes = ()

    @extend_schema(request=RefreshIn, responses={204: None})
    def post(self, request: Request) -> Response:
        _token(request).blacklist()
        return Response(status=204)


def _token(request: Request) -> RefreshToken:
    given = RefreshIn(data=request.data)
    given.is_valid(raise_exception=True)
    try:
        return RefreshToken(given.validated_data["refresh_token"])
    except TokenError as error:
        raise AuthenticationFailed("This refresh token is not valid.") from error
