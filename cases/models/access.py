"""Who may know of a restricted case."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from cases.models.case import Case


class CaseAccess(models.Model):
    """This person sees this case while it is restricted; whoever is not named here does not."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="access")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="restricted_cases"
    )
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["person__username"]
        constraints = [
            models.UniqueConstraint(fields=["case", "person"], name="case_access_once_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} sees {self.case_id}"
