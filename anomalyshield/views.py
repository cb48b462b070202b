"""Pages and probes that belong to no room: home, health, metrics, the API's manuals."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from anomalyshield import metrics as figures
from anomalyshield.accounts.permissions import allow, public
from anomalyshield.health import overdue, problems, summary

# ReDoc writes its own style elements; only this page may (design section 4).
REDOC_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'"
)
SWAGGER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'"
)


@allow("session.own", methods=("GET", "HEAD"))
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html", {"summary": summary(request.user)})


@public
def health(request: HttpRequest) -> HttpResponse:
    """Liveness: the process answers. It asks nothing of the database on purpose."""
    return JsonResponse({"status": "ok"})


@public
def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: database, tables and model are there; 503 with the reasons otherwise."""
    reasons = problems()
    body = {"status": "unavailable" if reasons else "ok", "problems": reasons}
    return JsonResponse(body, status=503 if reasons else 200)


@allow("health.deep", methods=("GET",))
def deep(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"problems": problems(), "oldest_ready_seconds": overdue()})


def metrics(request: HttpRequest) -> HttpResponse:
    if not figures.may_scrape(request.headers.get("Authorization", "")):
        return _metrics_page(request)
    return HttpResponse(figures.exposition(), content_type="text/plain; version=0.0.4")


@allow("metrics.read", methods=("GET",))
def _metrics_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(figures.exposition(), content_type="text/plain; version=0.0.4")


metrics.action = "metrics.read"


def manual(view: type, policy: str | None = None) -> object:
    """A page of the API's manual: open in the demo, for people with an account elsewhere."""
    inner = view.as_view(authentication_classes=[], permission_classes=[])

    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if settings.ENVIRONMENT == "production" and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        response = inner(request, *args, **kwargs)
        if policy:
            response.policy = policy
        return response

    page.action = "public" if settings.ENVIRONMENT != "production" else "docs.read"
    return page


schema = manual(SpectacularAPIView)
docs = manual(SpectacularSwaggerSplitView, SWAGGER_POLICY)
redoc = manual(SpectacularRedocView, REDOC_POLICY)


def _error(status: int, title: str, sentence: str):
    def page(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        context = {"title": title, "sentence": sentence, "status": status}
        return render(request, "errors/error.html", context, status=status)

    return page


bad_request = _error(400, "That request made no sense", "Check the address and try again.")
forbidden = _error(
    403, "Not yours to do", "Your role does not include this. An admin can change that."
)
not_found = _error(
    404, "Not found", "There is nothing here, or it lies in a queue that is not yours."
)
server_error = _error(500, "Something broke", "It is on record. Give the request id to an admin.")
