"""Addresses of people, keys and the audit log."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, include, path

from anomalyshield.accounts.permissions import allow, public
from anomalyshield.accounts.views import keys, own, people, trail

# Only these pages of allauth exist here; everything else of it is not routed.
log_in = public(allauth.LoginView.as_view())
log_out = public(allauth.LogoutView.as_view())
change_password = allow("session.own")(allauth.PasswordChangeView.as_view())

urlpatterns: list[URLPattern | URLResolver] = [
    # coming and going
    path("accounts/login/", log_in, name="account_login"),
    path("accounts/logout/", log_out, name="account_logout"),
    path("accounts/password/", change_password, name="account_change_password"),
    # one's own
    path("profile/", own.profile, name="profile"),
    path("profile/hints/", own.show_hints, name="hints-again"),
    path("profile/hints/<slug:page>/close/", own.close_hint, name="hint-close"),
    path("sessions/", own.sessions, name="sessions"),
    path("sessions/<int:pk>/end/", own.end, name="session-end"),
    path("sessions/end-others/", own.end_others, name="sessions-end-others"),
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
    path("", include("anomalyshield.accounts.api.urls")),
]
