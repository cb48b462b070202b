"""Who keeps a source, for admins to say."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.models import User
from anomalyshield.accounts.permissions import allow
from scoring import keeping
from scoring.models import Source


class KeepersForm(forms.Form):
    """All data engineers, or some."""

    whole_team = forms.BooleanField(required=False, label=_lazy("All data engineers"))
    people = forms.ModelMultipleChoiceField(
        User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_lazy("Or only"),
    )

    def __init__(self, *args: object, source: Source) -> None:
        known = keeping.keepers(source)
        initial = {"whole_team": keeping.kept_by_team(source), "people": known}
        super().__init__(*args, initial=initial)
        self.fields["people"].queryset = keeping.eligible(source)


@allow("user.manage")
def keepers(request: HttpRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=pk)
    if request.method != "POST":
        return _page(request, source, KeepersForm(source=source))
    form = KeepersForm(request.POST, source=source)
    if not form.is_valid():
        return _page(request, source, form, 400)
    keeping.set_keepers(by=request.user, source=source, **form.cleaned_data)
    messages.success(request, _("{source}: changed.").format(source=source))
    return redirect("source", pk=pk)


def _page(
    request: HttpRequest, source: Source, form: KeepersForm, status: int = 200
) -> HttpResponse:
    context = {"source": source, "form": form}
    return render(request, "scoring/keepers.html", context, status=status)
