"""Verdicts that a second person looks at without knowing the first: drawn, answered, settled."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.models.alerts import Alert
from alerts.models.corrections import Correction
from alerts.models.held import Held, HeldQuerySet
from alerts.models.verdicts import Verdict


class ReviewPolicy(models.Model):
    """Which share of verdicts is looked at again; the last row is in force, none is edited."""

    random_share = models.FloatField(default=0.05)  # of all verdicts, whatever they are
    large_share = models.FloatField(default=0.25)  # of those over at least so much …
    large_amount = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(1000))
    unsure_share = models.FloatField(default=0.5)  # of those somebody was unsure of
    release_share = models.FloatField(default=0.25)  # of blocked payments that were released
    due_hours = models.PositiveIntegerField(default=72)
    sample_budget = models.PositiveIntegerField(default=0)  # payments below the line, a day
    model_budget = models.PositiveIntegerField(default=0)  # questions of the model, a day
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField(db_default=Now())
    reason = models.TextField(blank=True)

    SHARES = ("random_share", "large_share", "unsure_share", "release_share")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__gte": 0, f"{name}__lte": 1}), name=f"{name}_is_one"
            )
            for name in ("random_share", "large_share", "unsure_share", "release_share")
        ]

    def __str__(self) -> str:
        return f"review shares {self.pk or 'by default'}"


class ReviewQuerySet(HeldQuerySet["Review"]):
    """Questions asked of reviews."""

    def standing(self) -> "ReviewQuerySet":
        """Of verdicts nobody has taken back."""
        return self.filter(verdict__undone_at=None)

    def open(self) -> "ReviewQuerySet":
        return self.standing().filter(answered_at=None)

    def answered(self) -> "ReviewQuerySet":
        return self.exclude(answered_at=None)

    def blinding(self, user) -> "ReviewQuerySet":
        """Those this person has not answered yet: until then they must not know the verdict.

        Of those that were drawn for nobody, what they were given last, also when its time has run
        out: they may still answer it, until a colleague is given it.
        """
        if user.pk is None:  # a machine reviews nothing
            return self.none()
        given = models.Q(reviewer=None, holder_id=user.pk)
        return self.open().filter(models.Q(reviewer_id=user.pk) | given)

    def waiting_for(self, user) -> "ReviewQuerySet":
        """Those this person may answer: drawn for them, or for nobody and of a colleague."""
        nobodys = models.Q(reviewer=None) & ~models.Q(decided_by=user)
        return self.visible_to(user).open().filter(models.Q(reviewer=user) | nobodys)

    def visible_to(self, user) -> "ReviewQuerySet":
        """One's own to answer; answered ones for both persons and for leads. Who decided does not
        learn that they were drawn before the answer is there."""
        from alerts.guards import leads
        from alerts.visibility import queues_of

        if not user.may("review.work"):
            return self.none()
        nobodys = models.Q(reviewer=None) & ~models.Q(decided_by=user)
        told = models.Q(reviewer=user) | nobodys
        if leads(user):
            told |= ~models.Q(decided_by=user)
        answered = ~models.Q(answered_at=None)
        told |= models.Q(decided_by=user) & answered
        standing = models.Q(verdict__undone_at=None) | answered
        return self.filter(told, standing, alert__queue__in=queues_of(user))

    def for_the_page(self) -> "ReviewQuerySet":
        """With what a row or a page shows, in the same query."""
        return self.select_related(
            "alert__transaction",
            "alert__queue",
            "verdict",
            "decided_by",
            "reviewer",
            "settled_by",
            "holder",
        )


class Review(Held):
    """A second look at a verdict. The reviewer sees what the first person saw and nothing more."""

    class Why(models.TextChoices):
        RANDOM = "RANDOM", _lazy("At random")
        RISK = "RISK", _lazy("By risk")

    class Risk(models.TextChoices):
        LARGE = "LARGE", _lazy("large amount")
        UNSURE = "UNSURE", _lazy("unsure")
        RELEASE = "RELEASE", _lazy("a blocked payment released")

    class Outcome(models.TextChoices):
        UPHELD = "UPHELD", _lazy("Upheld")
        OVERTURNED = "OVERTURNED", _lazy("Overturned")
        DISCUSS = "DISCUSS", _lazy("To discuss")

    verdict = models.OneToOneField(Verdict, models.PROTECT, related_name="review")
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="reviews")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    why = models.CharField(max_length=6, choices=Why.choices)
    risks = ArrayField(models.CharField(max_length=8, choices=Risk.choices), default=list)
    chance = models.FloatField()  # with which it was drawn, for one reason or another
    drawn_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="reviews"
    )
    said = models.CharField(max_length=20, choices=Alert.Disposition.choices, blank=True)
    typology = models.CharField(max_length=24, choices=Alert.Typology.choices, blank=True)
    confidence = models.CharField(max_length=6, choices=Verdict.Confidence.choices, blank=True)
    note = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)  # on what the payments are labelled
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    words = models.TextField(blank=True)  # with which it was settled
    corrections = models.ManyToManyField(Correction, related_name="reviews")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["reviewer", "due_at"],
                condition=models.Q(answered_at=None),
                name="review_waiting",
            ),
            models.Index(fields=["-answered_at", "-id"], name="review_answered"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(reviewer=models.F("decided_by")),
                name="reviewed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=models.Q(chance__gt=0, chance__lte=1), name="drawn_with_a_chance"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None)
                | models.Q(reviewer__isnull=False, agreed__isnull=False)
                & ~models.Q(said="")
                & ~models.Q(outcome=""),
                name="answered_by_somebody_with_something",
            ),
        ]

    def __str__(self) -> str:
        return f"R-{self.pk}"

    def is_before(self, person) -> bool:
        """Whether this person looks at it: it was drawn for them or, for nobody, given to them."""
        return person.pk is not None and person.pk == (self.reviewer_id or self.holder_id)

    @property
    def is_open(self) -> bool:
        return self.answered_at is None

    @property
    def is_late(self) -> bool:
        return self.is_open and self.due_at < timezone.now()

    @property
    def because(self) -> str:
        """Why it was drawn, in words: at random; large amount, unsure."""
        if self.why == Review.Why.RANDOM:
            return _("at random")
        return ", ".join(str(Review.Risk(risk).label) for risk in self.risks)
