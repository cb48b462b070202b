"""The naive way: serializer, ORM insert, the user's past into pandas, scikit-learn, ORM insert."""

from functools import cache

import numpy as np
from django.conf import settings
from django.db import transaction
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from scoring.api.shapes import TransactionIn
from scoring.engine.transaction import Defaults, parse
from scoring.models import Decision, DecisionPolicy, Source, Transaction

WINDOWS = ("1h", "1D", "7D", "30D")


@cache
def forest():
    from sklearn.ensemble import IsolationForest

    made = IsolationForest(n_estimators=150, max_samples=256, random_state=1)
    return made.fit(np.random.default_rng(1).normal(size=(2000, 2 * len(WINDOWS))))


class Naive(APIView):
    """Correct answers are not its point; its costs are those of the usual parts."""

    action = "score.write"

    def post(self, request: Request) -> Response:
        import pandas as pd

        given = TransactionIn(data=request.data)
        given.is_valid(raise_exception=True)
        source, _ = Source.objects.get_or_create(name="naive", defaults={"kind": "rest"})
        defaults = Defaults("USD", settings.BASE_CURRENCY, "UTC", timezone.now())
        parsed = parse(request.data, defaults=defaults)
        fields = {name: value for name, value in parsed._asdict().items() if name != "hints"}
        with transaction.atomic():
            row = Transaction.objects.create(source=source, **fields)
            past = Transaction.objects.filter(user_id=row.user_id).values("event_time", "amount")
            frame = pd.DataFrame(list(past)).set_index("event_time").sort_index()
            amounts = frame["amount"].astype(float)
            vector = [
                value
                for window in WINDOWS
                for value in amounts.rolling(window).agg(["count", "sum"]).iloc[-1]
            ]
            score = -forest().score_samples([vector])[0]
            Decision.objects.create(
                transaction=row,
                policy=DecisionPolicy.objects.get(active=True),
                risk_score=float(score),
                level="LOW",
                outcome="APPROVE",
                known_at=row.event_time,
            )
        return Response({"transaction_id": row.external_id, "risk_score": float(score)})


urlpatterns = [path("detect", Naive.as_view(), name="detect")]
