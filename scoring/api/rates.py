"""Exchange rates for programs."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Strict, Text, page
from scoring import rates
from scoring.api.sources import not_so
from scoring.columns import Refused
from scoring.models import ExchangeRate


class RatesAsked(Listed):
    """Which rates."""

    currency = s.CharField(max_length=3, required=False)


class RateOut(s.ModelSerializer):
    """What one unit of a currency was worth in the house currency on a day."""

    class Meta:
        model = ExchangeRate
        fields = ("id", "currency", "day", "rate", "recorded_at")


class RatesIn(Strict):
    """A table of rates."""

    csv = Text(
        max_length=rates.MOST_CHARACTERS,
        trim_whitespace=False,
        help_text="With a header: date,currency,rate",
    )


class RatesOut(s.Serializer):
    """How many were taken."""

    rates = s.IntegerField()


class Rates(Resource):
    """The table of rates."""

    @does("listRates", "source.edit", page(RateOut), asked=RatesAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Rates by the order in which they came, latest first."""
        wanted = {"currency": asked["currency"].upper()} if "currency" in asked else {}
        return latest_first(ExchangeRate.objects.filter(**wanted), asked)

    @does("importRates", "source.edit", RatesOut, body=RatesIn)
    def post(self, request: Request, given: dict[str, Any]) -> dict[str, int]:
        """Take the rates of a CSV: all of them or none; those of known days are replaced."""
        try:
            return {"rates": rates.import_rates(by=request.user, text=given["csv"])}
        except Refused as refusal:
            refusal.field = "csv"
            raise not_so(refusal) from None
