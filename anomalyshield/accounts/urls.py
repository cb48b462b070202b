"""Addresses of people, keys and the audit log."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, path

from anomalyshield.accounts.permissions import public
from anomalyshield.accounts.tokens import Login, Logout, Refresh
from anomalyshield.accounts.views import keys, people, trail


def of_allauth(view: type, action: str = "public") -> object:
    """Only these pages of allauth exist here; everything else of it is not routed."""
    inner = public(view.as_view())
    inner.action = action
    return inner


urlpatterns: list[URLPattern | URLResolver] = [
    # coming and going
    path("accounts/login/", of_allauth(allauth.LoginView), name="account_login"),
    path("accounts/logout/", of_allauth(allauth.LogoutView), name="account_logout"),
    path(
        "accounts/password/",
        of_allauth(allauth.PasswordChangeView, "session.own"),
        name="account_change_password",
    ),
    # people
    path("users/", people.users, name="users"),
    path("users/new/", people.make, name="user-new"),
    path("users/<int:pk>/", people.user, name="user"),
    path("users/<int:pk>/password/", people.password, name="user-password"),
    # keys of machines
    path("keys/", keys.keys, name="keys"),
    path("keys/new/", keys.make, name="key-new"),
    path("keys/<uuid:pk>/revoke/", keys.revoke, name="key-revoke"),
    # the trail
    path("audit/", trail.audit, name="audit"),
    # tokens
    path("api/v1/auth/login", Login.as_view(), name="token"),
    path("api/v1/auth/refresh", Refresh.as_view(), name="token-refresh"),
    path("api/v1/auth/logout", Logout.as_view(), name="token-logout"),
]
