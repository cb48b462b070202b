"""The exchange rates: the newest of each currency, and the form for a file of them."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from scoring import rates as verbs
from scoring.columns import Refused
from scoring.engine.exchange import LONGEST


@allow("source.edit")
def rates(request: HttpRequest) -> HttpResponse:
    """What there is, and a file of others."""
    if request.method != "POST":
        return _page(request)
    file = request.FILES.get("file")
    sent = file.read(verbs.MOST_CHARACTERS + 1) if file else b""
    text = sent.decode("utf-8", "replace") or request.POST.get("rates", "")
    try:
        many = verbs.import_rates(by=request.user, text=text)
    except Refused as refusal:
        return _page(request, text=text[:20_000], refusal=refusal)
    messages.success(request, _("{many} rates are taken.").format(many=many))
    return redirect("rates")


def _page(request: HttpRequest, text: str = "", refusal: Refused | None = None) -> HttpResponse:
    oldest = timezone.now().date() - LONGEST
    context = {
        "rows": [(one, one.day < oldest) for one in verbs.latest()],
        "house": settings.BASE_CURRENCY,
        "days": LONGEST.days,
        "text": text,
        "example": "date,currency,rate",
        "refusal": refusal,
    }
    return render(request, "scoring/rates.html", context, status=400 if refusal else 200)
