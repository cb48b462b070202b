"""What is one's own: the time zone, and where one is logged in."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomalyshield.accounts import open_sessions, people
from anomalyshield.accounts.forms import ProfileForm
from anomalyshield.accounts.permissions import allow
from anomalyshield.accounts.sessions import living_tokens


@allow("session.own")
def profile(request: HttpRequest) -> HttpResponse:
    person = request.user
    if request.method != "POST":
        return _profile(
            request,
            ProfileForm(initial={name: getattr(person, name) for name in ProfileForm.base_fields}),
        )
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _profile(request, form, 400)
    people.choose_timezone(by=person, timezone=form.cleaned_data["timezone"])
    people.choose_language(by=person, language=form.cleaned_data["language"])
    people.choose_keys(by=person, keys=form.cleaned_data["keys"])
    translation.activate(person.language or translation.get_language_from_request(request))
    messages.success(
        request, _("Times are shown in {zone} from now on.").format(zone=person.timezone)
    )
    return redirect("profile")


@allow("session.own", methods=("POST",))
def close_hint(request: HttpRequest, page: str) -> HttpResponse:
    """The first words of a page are put away for good, and one is where one was.

    The browser tells what was searched for there; the page itself would have to write it down,
    for those as well who may not see whose it is.
    """
    if page not in people.HINTS:
        raise Http404(page)
    people.choose_hints(by=request.user, closed=[*request.user.hints_closed, page])
    back = request.headers.get("Referer") or request.POST.get("back", "")
    own = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if own else "home")


@allow("session.own", methods=("POST",))
def show_hints(request: HttpRequest) -> HttpResponse:
    people.choose_hints(by=request.user, closed=())
    messages.success(request, _("The first words of pages are shown again."))
    return redirect("profile")


@allow("session.own", methods=("GET",))
def sessions(request: HttpRequest) -> HttpResponse:
    """Each browser with where and when it was last seen, and how many programs hold a token."""
    here = request.session.session_key
    rows = [(one, one.session_id == here) for one in open_sessions.sessions_of(request.user)]
    programs = living_tokens(request.user.pk).count()
    context = {"sessions": rows, "programs": programs, "others": len(rows) > 1 or programs}
    return render(request, "accounts/sessions.html", context)


@allow("session.own", methods=("POST",))
def end(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(open_sessions.sessions_of(request.user), pk=pk)
    here = found.session_id == request.session.session_key
    open_sessions.end_session(by=request.user, session=found)
    if here:
        request.session.flush()
        return redirect("account_login")
    messages.success(request, _("{browser} is logged out.").format(browser=found.browser))
    return redirect("sessions")


@allow("session.own", methods=("POST",))
def end_others(request: HttpRequest) -> HttpResponse:
    ended = open_sessions.end_others(by=request.user, keep=request.session.session_key)
    messages.success(
        request,
        ngettext(
            "{ended} other log-in has ended.", "{ended} other log-ins have ended.", ended
        ).format(ended=ended),
    )
    return redirect("sessions")


def _profile(request: HttpRequest, form: ProfileForm, status: int = 200) -> HttpResponse:
    return render(request, "accounts/profile.html", {"form": form}, status=status)
