"""The third part of the register: merchants, known frauds, robust deviations, the last payments."""

from scoring.engine.feature import Feature, over

BACK_TO = 10
WHOSE = {"user": "", "card": "card_", "device": "device_", "merchant": "merchant_"}


def _payments(count: int) -> str:
    return "one payment" if count == 1 else f"{count} payments"


def of_known_frauds(entity: str) -> list[Feature]:
    """What was known of one entity's frauds when the event took place, by the date of each label.

    Chargebacks come weeks late; a label counts from the moment it was known and never before, so
    that training sees what scoring saw.
    """
    name = f"{WHOSE[entity]}known_fraud"
    return [
        Feature(
            f"{name}_count_30d",
            f"Payments of the {entity} in 30 days that were known to be fraud by then",
            entity,
            "30d",
            f"Known frauds of the {entity} in the 30 days before: {{value:,.0f}}.",
            rarity=1,
        ),
        Feature(
            f"{name}_count_180d",
            f"Payments of the {entity} in 180 days that were known to be fraud by then",
            entity,
            "180d",
            f"Known frauds of the {entity} in the 180 days before: {{value:,.0f}}.",
        ),
        Feature(
            f"{name}_days",
            f"Days since the {entity}'s last payment known to be fraud",
            entity,
            "180d",
            f"The {entity}'s last known fraud was {{ago}} before.",
        ),
        Feature(
            f"{name}_heard_days",
            f"Days since a fraud of the {entity} last became known",
            entity,
            "180d",
            f"A fraud of the {entity} became known {{ago}} before.",
        ),
    ]


LATER: list[Feature] = [
    *over(
        "merchant_transaction_count",
        "1h 24h 7d 30d",
        "Payments at the merchant in the last {window}; beyond one hour, in whole hours",
        "Payments at the merchant in the {window} before: {value:,.0f}.",
        entity="merchant",
        baseline="merchant_transaction_count_30d",
        baseline_phrase=" In 30 days: {value:,.0f}.",
    ),
    *over(
        "merchant_total_amount",
        "1h 24h 7d 30d",
        "Sum paid at the merchant in the last {window}; beyond one hour, in whole hours",
        "At the merchant {value:,.2f} were paid in the {window} before.",
        entity="merchant",
        baseline="merchant_total_amount_30d",
        baseline_phrase=" In 30 days: {value:,.2f}.",
    ),
    *over(
        "merchant_mean_amount",
        "1h 24h 7d 30d",
        "Mean amount paid at the merchant in the last {window}",
        "The mean amount at the merchant in the {window} before is {value:,.2f}.",
        entity="merchant",
    ),
    Feature(
        "merchant_amount_over_mean_30d",
        "Amount divided by the merchant's 30-day mean",
        "merchant",
        "30d",
        "The amount is {value:,.1f} × the merchant's 30-day mean.",
        baseline="merchant_mean_amount_30d",
        baseline_phrase=" That mean is {value:,.2f}.",
        rarity=1,
    ),
    Feature(
        "merchant_surge_24h",
        "Payments at the merchant in 24 hours over what 24 of its last 30 days' hours hold",
        "merchant",
        "30d",
        "The merchant has {value:,.1f} × as many payments as on its usual day.",
        baseline="merchant_transaction_count_24h",
        baseline_phrase=" In the 24 hours before: {value:,.0f}.",
        rarity=1,
    ),
    Feature(
        "merchant_distinct_users_1h",
        "Different users at the merchant within the hour, this one included",
        "merchant",
        "1h",
        "Different users at the merchant within the hour: {value:,.0f}.",
    ),
    Feature(
        "merchant_distinct_cards_1h",
        "Different cards at the merchant within the hour, this one included",
        "merchant",
        "1h",
        "Different cards at the merchant within the hour: {value:,.0f}.",
    ),
    *of_known_frauds("user"),
    *of_known_frauds("card"),
    *of_known_frauds("device"),
    *of_known_frauds("merchant"),
    Feature(
        "merchant_known_fraud_share_30d",
        "Share of the merchant's 30-day payments known to be fraud by then",
        "merchant",
        "30d",
        "{share} of the merchant's payments in 30 days are known to be fraud.",
        rarity=1,
        baseline="merchant_transaction_count_30d",
        baseline_phrase=" Payments there in 30 days: {value:,.0f}.",
    ),
    Feature(
        "merchant_unexplained_fraud_count_30d",
        "Known frauds at the merchant in 30 days whose amount was ordinary for their user: "
        "what was wrong there was not the payment, so it may be the merchant",
        "merchant",
        "30d",
        "Known frauds at the merchant with an ordinary amount in the 30 days before: {value:,.0f}.",
        rarity=1,
    ),
    Feature(
        "merchant_known_fraud_span_days",
        "Days since the merchant's first known fraud within 30 days",
        "merchant",
        "30d",
        "The merchant's first known fraud of the last 30 days was {ago} before.",
    ),
    Feature(
        "merchant_known_fraud_density_30d",
        "Share of known frauds among the merchant's payments from the first to the last of them "
        "within 30 days: near 1, everything there was fraud",
        "merchant",
        "30d",
        "From its first to its last known fraud, {share} of the merchant's payments were fraud.",
    ),
    Feature(
        "merchant_silent_payments",
        "Payments at the merchant since its last known fraud, within 30 days, that nobody has "
        "called fraud in as long as that one took to become known: many, and it is over",
        "merchant",
        "30d",
        "Payments at the merchant since its last known fraud, and still unsuspected: {value:,.0f}.",
    ),
    Feature(
        "merchant_fraud_streak",
        "The merchant's latest known frauds with no other payment between their hours",
        "merchant",
        "30d",
        "Known frauds at the merchant in an unbroken row: {value:,.0f}.",
    ),
    Feature(
        "merchant_fraud_streak_days",
        "Days since the first payment of the merchant's unbroken row of known frauds",
        "merchant",
        "30d",
        "The merchant's unbroken row of known frauds began {ago} before.",
    ),
    Feature(
        "merchant_known_fraud_multiple",
        "Of the merchant's known frauds in 30 days the smallest amount over its user's median: "
        "the more ordinary a payment was, the less it is what gave it away",
        "merchant",
        "30d",
        "The most ordinary known fraud at the merchant was {value:,.1f} × its user's median.",
    ),
    Feature(
        "amount_deviation",
        "Distance from the median of the user's last 100 amounts in median absolute deviations",
        "user",
        "30d",
        "The amount lies {size:,.1f} median deviations {side} the user's median.",
    ),
    Feature(
        "amount_over_q90",
        "Amount divided by the 90 % quantile of the user's last 100 amounts",
        "user",
        "30d",
        "The amount is {value:,.2f} × what nine of ten of the user's payments stay below.",
        baseline="amount",
        baseline_phrase=" They stay below {usual:,.2f}.",
    ),
    *(
        Feature(
            f"large_amounts_{window}",
            f"The user's transactions in {days} days above 3 × the user's median",
            "user",
            window,
            f"Unusually large transactions of the user in the {days} days before: {{value:,.0f}}.",
            rarity=int(window == "7d"),
        )
        for window, days in (("3d", 3), ("7d", 7))
    ),
    Feature(
        "large_amount_days",
        "Days since the user's last transaction above 3 × the user's median, within 14",
        "user",
        "14d",
        "The user's last unusually large transaction was {ago} before.",
    ),
    *(
        Feature(
            f"amount_back_{back}",
            f"The user's amount {_payments(back)} before this one",
            "user",
            "30d",
            f"{_payments(back).capitalize()} before the user paid {{value:,.2f}}.",
        )
        for back in range(1, BACK_TO + 1)
    ),
    *(
        Feature(
            f"minutes_back_{back}",
            f"Minutes since {_payments(back)} of the user before this one",
            "user",
            "30d",
            f"The user's payment {_payments(back)} before this one was {{duration}} earlier.",
        )
        for back in range(1, BACK_TO + 1)
    ),
    Feature(
        "category",
        "Which category it is, as a number: the merchant category code, else one made of the "
        "category's name; a model reads it as how common frauds were there when it learnt",
        "event",
        "",
        "How common frauds were in its category when the model learnt counts by itself.",
        nominal=True,
    ),
    Feature(
        "amount_in_category",
        "Logarithm of 1 + amount where a category is known; a model reads it as how many spreads "
        "it lies above the median of that category when it learnt",
        "event",
        "",
        "How {amount:,.2f} compares with what was paid in its category when the model learnt "
        "counts by itself.",
    ),
]
