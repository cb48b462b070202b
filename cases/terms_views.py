"""How the cases of each queue are handled, for admins."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from alerts.models import Queue
from anomalyshield.accounts.permissions import allow
from cases.terms import change_terms, terms_of, told
from cases.terms_forms import TermsForm


@allow("user.manage", methods=("GET",))
def terms(request: HttpRequest) -> HttpResponse:
    rows = [(queue, terms_of(queue)) for queue in Queue.objects.select_related("terms__calendar")]
    return render(request, "cases/terms.html", {"rows": rows})


@allow("user.manage")
def queue_terms(request: HttpRequest, pk: int) -> HttpResponse:
    queue = get_object_or_404(Queue, pk=pk)
    known = terms_of(queue)
    form = TermsForm(request.POST or None, initial={**told(known), "calendar": known.calendar})
    if not form.is_valid():
        context = {"form": form, "queue": queue}
        return render(
            request, "cases/queue_terms.html", context, status=400 if form.errors else 200
        )
    change_terms(by=request.user, queue=queue, **form.cleaned_data)
    messages.success(request, _("Cases of {queue}: changed.").format(queue=queue))
    return redirect("case-terms")
