"""Second looks at verdicts for programs: what waits, blind until it is answered, and settled."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from alerts import agreement, drawing, reviews
from alerts.agreement_file import file_of
from alerts.models import Review, ReviewPolicy
from alerts.review_shapes import (
    AgreementAsked,
    AgreementOut,
    BehindIn,
    ReviewAnswerIn,
    ReviewHandOverIn,
    ReviewOut,
    ReviewRowOut,
    ReviewsAsked,
    ReviewWordsIn,
    SettleIn,
    SharesIn,
    SharesOut,
)
from alerts.views.reviews import find
from anomalyshield.exports import KINDS, WORKBOOK
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Download, Resource, does, read
from anomalyshield.rest.shapes import page


class AgreementOf(Resource):
    """Agreement of the caller's queues."""

    @does("readAgreement", "review.view", AgreementOut, asked=AgreementAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> agreement.Figures:
        """Cohen's kappa, overturn rates by group; of persons for leads, from twenty reviews on."""
        return agreement.figures(request.user, asked["days"])


class AgreementFile(Download):
    """The same figures as a file."""

    action = "review.view"

    @extend_schema(
        operation_id="readAgreementFile",
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS)),
            AgreementAsked,
        ],
        responses={
            (200, "text/csv"): str,
            (200, WORKBOOK): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, kind: str) -> HttpResponseBase:
        """One line for each figure with its interval, as CSV or XLSX; on the trail."""
        asked = read(AgreementAsked, request.query_params.dict())
        return file_of(request.user, kind, asked["days"])


class Reviews(Resource):
    """The reviews."""

    @does("listReviews", "review.view", page(ReviewRowOut), asked=ReviewsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Second looks that the caller may know of, latest first."""
        rows = Review.objects.visible_to(request.user).for_the_page()
        rows = rows.select_related("verdict__by").prefetch_related("corrections")
        if asked["open"] is not None:
            rows = rows.open() if asked["open"] else rows.answered()
        if asked["mine"]:
            rows = rows.filter(reviewer=request.user.pk or 0)
        if "outcome" in asked:
            rows = rows.filter(outcome=asked["outcome"])
        return latest_first(rows, asked)


class AboutReview(Resource):
    """One review. Every verb answers it as it is then."""

    refusals = (reviews.Refused,)

    def one(self, request: Request, pk: int) -> Review:
        return find(request, pk)


class OneReview(AboutReview):
    @does("readReview", "review.work", ReviewOut, versioned=True)
    def get(self, request: Request, pk: int) -> Review:
        """One second look; the verdict is told once it is answered."""
        return self.one(request, pk)


class TakeNext(AboutReview):
    """The next one."""

    @does("takeNextReview", "review.work", ReviewOut, body=BehindIn, refused=(404,))
    def post(self, request: Request, given: dict[str, Any]) -> Review:
        """The one due first that was drawn for the caller, or for nobody and no colleague looks
        at; such a one is the caller's for a quarter of an hour."""
        behind = self.one(request, given["behind"]) if "behind" in given else None
        found = reviews.take_next(by=request.user, behind=behind)
        if found is None:
            raise Problem(404, "nothing_waits", "Nothing waits for your second look.")
        return self.one(request, found.pk)


class Take(AboutReview):
    @does("takeReview", "review.work", ReviewOut, versioned=True)
    def post(self, request: Request, pk: int) -> Review:
        """Make one that waits for anybody the caller's."""
        reviews.take(by=request.user, review=self.one(request, pk))
        return self.one(request, pk)


class AnswerOne(AboutReview):
    @does("answerReview", "review.work", ReviewOut, body=ReviewAnswerIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Review:
        """Say what it was; where the label would be the same, the verdict is upheld."""
        reviews.answer(by=request.user, review=self.one(request, pk), **given)
        return self.one(request, pk)


class Dispute(AboutReview):
    @does("disputeReview", "review.work", ReviewOut, body=ReviewWordsIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Review:
        """Propose that the labels say what the reviewer said; a second person answers."""
        reviews.dispute(by=request.user, review=self.one(request, pk), reason=given["words"])
        return self.one(request, pk)


class Settle(AboutReview):
    @does("settleReview", "review.work", ReviewOut, body=SettleIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Review:
        """Approve or refuse, as a second person, all that a review proposed."""
        reviews.settle(by=request.user, review=self.one(request, pk), **given)
        return self.one(request, pk)


class Stand(AboutReview):
    @does("letReviewStand", "review.work", ReviewOut, body=ReviewWordsIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Review:
        """Having talked about it, the first verdict stands."""
        reviews.let_stand(by=request.user, review=self.one(request, pk), **given)
        return self.one(request, pk)


class HandOver(AboutReview):
    @does("handOverReview", "alert.lead", ReviewRowOut, body=ReviewHandOverIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Review:
        """Give a review that waits to another colleague of its queue; for leads."""
        found = self.one(request, pk)
        to = drawing.eligible(found.alert.queue, but=found.decided_by)
        chosen = to.filter(username=given["to"]).first()
        if chosen is None:
            raise Problem(400, "unknown_user", "Nobody else here is called that.", pointer="/to")
        reviews.hand_over(by=request.user, review=found, to=chosen)
        return Review.objects.for_the_page().select_related("verdict__by").get(pk=found.pk)


class Shares(Resource):
    """Which verdicts are drawn."""

    refusals = (reviews.Refused,)

    @does("readReviewShares", "alert.lead", SharesOut)
    def get(self, request: Request) -> ReviewPolicy:
        """The shares in force; all 0 until a lead has set some."""
        nothing = dict.fromkeys(ReviewPolicy.SHARES, 0.0)
        return drawing.policy() or ReviewPolicy(made_at=None, **nothing)

    @does("setReviewShares", "alert.lead", SharesOut, body=SharesIn)
    def post(self, request: Request, given: dict[str, Any]) -> ReviewPolicy:
        """Draw these shares from now on; for leads."""
        reason = given.pop("reason")
        made = reviews.set_shares(by=request.user, shares=given, reason=reason)
        return ReviewPolicy.objects.select_related("made_by").get(pk=made.pk)
