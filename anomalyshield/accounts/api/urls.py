"""Addresses for programs."""

from django.urls import URLPattern, URLResolver, path

from anomalyshield.accounts.api import keys, own, people, trail
from anomalyshield.accounts.tokens import Login, Logout, Refresh

urlpatterns: list[URLPattern | URLResolver] = [
    # tokens
    path("api/v1/auth/login", Login.as_view(), name="token"),
    path("api/v1/auth/refresh", Refresh.as_view(), name="token-refresh"),
    path("api/v1/auth/logout", Logout.as_view(), name="token-logout"),
    # one's own
    path("api/v1/me", own.Me.as_view(), name="api-me"),
    path("api/v1/me/sessions", own.Sessions.as_view(), name="api-sessions"),
    path("api/v1/me/sessions/<int:pk>/end", own.EndSession.as_view(), name="api-session-end"),
    path("api/v1/me/sessions/end-others", own.EndOthers.as_view(), name="api-sessions-end"),
    # people
    path("api/v1/users", people.Users.as_view(), name="api-users"),
    path("api/v1/users/<int:pk>", people.OneUser.as_view(), name="api-user"),
    path("api/v1/users/<int:pk>/password", people.Password.as_view(), name="api-user-password"),
    # keys of machines
    path("api/v1/keys", keys.Keys.as_view(), name="api-keys"),
    path("api/v1/keys/<uuid:pk>", keys.OneKey.as_view(), name="api-key"),
    path("api/v1/keys/<uuid:pk>/revoke", keys.Revoke.as_view(), name="api-key-revoke"),
    # the trail
    path("api/v1/audit", trail.Trail.as_view(), name="api-audit"),
    path("api/v1/audit/<int:pk>", trail.OneEvent.as_view(), name="api-audit-event"),
]
