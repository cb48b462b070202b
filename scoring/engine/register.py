"""The register of features: what each is called, means and says, whatever computes it.

New features stand at the end, in `register_more`: older models and vectors hold the first ones.
"""

from scoring.engine.feature import Feature, over
from scoring.engine.register_later import LATER
from scoring.engine.register_more import MORE

__all__ = ["FEATURES", "NAMES", "Feature", "column"]

FEATURES: list[Feature] = [
    Feature("amount", "Amount in the base currency", "event", "", "The amount is {value:,.2f}."),
    Feature(
        "amount_log",
        "Logarithm of 1 + amount",
        "event",
        "",
        "The amount is {amount:,.2f}.",
    ),
    Feature(
        "hour",
        "Hour of day on the entity's clocks, 0 to 23",
        "event",
        "",
        "It happened in the hour from {value:02.0f}:00 local time.",
    ),
    Feature(
        "hour_sin",
        "Sine of the time of day, so that 23:00 and 01:00 are near",
        "event",
        "",
        "It happened in the hour from {hour:02.0f}:00 local time.",
    ),
    Feature(
        "hour_cos",
        "Cosine of the time of day",
        "event",
        "",
        "It happened in the hour from {hour:02.0f}:00 local time.",
    ),
    Feature("day_of_week", "Day of week, Monday is 0", "event", "", "It happened on a {weekday}."),
    Feature("is_weekend", "Saturday or Sunday", "event", "", "It is {not}a weekend."),
    Feature("is_online", "Card not present", "event", "", "It was {not}made online."),
    *over(
        "transaction_count",
        "1m 5m 1h 24h 7d 30d",
        "Transactions of the user in the last {window}, before this one",
        "Transactions of the user in the {window} before: {value:.0f}.",
        rare="5m 1h",
    ),
    *over(
        "total_amount",
        "1h 24h 7d 30d",
        "Sum of the user's amounts in the last {window}, before this one",
        "The user spent {value:,.2f} in the {window} before.",
    ),
    *over(
        "mean_amount",
        "1h 24h 7d 30d",
        "Mean of the user's amounts in the last {window}",
        "The user's mean amount over {window} is {value:,.2f}.",
    ),
    *over(
        "std_amount",
        "1h 24h 7d 30d",
        "Sample standard deviation of the user's amounts in the last {window}",
        "The user's amounts over {window} spread by {value:,.2f}.",
    ),
    Feature(
        "time_since_last_transaction_minutes",
        "Minutes since the user's last transaction",
        "user",
        "30d",
        "The user's last transaction was {duration} before.",
    ),
    Feature(
        "location_distance_km",
        "Great-circle distance to the user's last located transaction",
        "user",
        "30d",
        "It is {value:,.0f} km from the user's last known place.",
        baseline="time_since_last_transaction_minutes",
        baseline_phrase=" That was {value:,.0f} minutes before.",
    ),
    Feature(
        "implied_speed_kmh",
        "Speed needed to get here from the last located transaction",
        "user",
        "30d",
        "Getting here from the last known place takes {value:,.0f} km/h.",
        rarity=1,
    ),
    Feature(
        "amount_over_mean_30d",
        "Amount divided by the user's 30-day mean",
        "user",
        "30d",
        "The amount is {value:.1f} × the user's 30-day mean.",
        baseline="mean_amount_30d",
        baseline_phrase=" That mean is {value:,.2f}.",
        rarity=1,
    ),
    Feature(
        "amount_over_median",
        "Amount divided by the median of the user's last 100 amounts",
        "user",
        "30d",
        "The amount is {value:.1f} × the user's median.",
        rarity=1,
    ),
    Feature(
        "amount_over_max_30d",
        "Amount divided by the user's largest in 30 days",
        "user",
        "30d",
        "The amount is {value:.2f} × the user's largest in 30 days.",
    ),
    Feature(
        "amount_zscore_30d",
        "Distance from the user's 30-day mean in standard deviations",
        "user",
        "30d",
        "The amount lies {value:+.1f} standard deviations from the user's 30-day mean.",
        baseline="mean_amount_30d",
        baseline_phrase=" That mean is {value:,.2f}.",
        rarity=1,
    ),
    Feature(
        "large_amounts_14d",
        "The user's transactions in 14 days above 3 × the user's median",
        "user",
        "14d",
        "Unusually large transactions of the user in the 14 days before: {value:.0f}.",
        rarity=1,
    ),
    Feature(
        "same_amount_count_24h",
        "Transactions of exactly this amount by the user in 24 hours",
        "user",
        "24h",
        "Payments of exactly this amount by the user in the 24 hours before: {value:.0f}.",
    ),
    Feature(
        "new_device",
        "The user has not used this device in 30 days",
        "user",
        "30d",
        "The device is {not}new for the user.",
        rarity=1,
    ),
    Feature(
        "new_merchant",
        "The user has not paid this merchant in 30 days",
        "user",
        "30d",
        "The merchant is {not}new for the user.",
    ),
    Feature(
        "new_place",
        "The user has not paid in this place in 30 days",
        "user",
        "30d",
        "The place is {not}new for the user.",
    ),
    Feature(
        "new_category",
        "The user has not paid in this category in 30 days",
        "user",
        "30d",
        "The category is {not}new for the user.",
    ),
    *over(
        "distinct_places",
        "1m 24h",
        "Different places of the user in the last {window}, this one included",
        "Different places of the user within {window}: {value:.0f}.",
    ),
    Feature(
        "distinct_merchants_24h",
        "Different merchants of the user in 24 hours, this one included",
        "user",
        "24h",
        "Different merchants of the user within 24 hours: {value:.0f}.",
    ),
    Feature(
        "distinct_devices_30d",
        "Different devices of the user in 30 days, this one included",
        "user",
        "30d",
        "Different devices of the user in 30 days: {value:.0f}.",
    ),
    Feature(
        "category_share_30d",
        "Share of the user's 30-day transactions in this category",
        "user",
        "30d",
        "{value:.0%} of the user's transactions in 30 days were in this category.",
    ),
    Feature(
        "hour_share_30d",
        "Share of the user's 30-day transactions within 3 hours of this time of day",
        "user",
        "30d",
        "{value:.0%} of the user's transactions in 30 days fell near this time of day.",
    ),
    Feature(
        "history_days",
        "Age of the user's oldest transaction within 30 days, in days",
        "user",
        "30d",
        "The user's known history spans {value:.0f} days.",
    ),
    *over(
        "card_transaction_count",
        "1h 24h",
        "Transactions of the card in the last {window}, before this one",
        "Transactions of the card in the {window} before: {value:.0f}.",
        entity="card",
    ),
    Feature(
        "card_total_amount_24h",
        "Sum of the card's amounts in 24 hours, before this one",
        "card",
        "24h",
        "The card paid {value:,.2f} in the 24 hours before.",
    ),
    Feature(
        "card_amount_over_mean_30d",
        "Amount divided by the card's 30-day mean",
        "card",
        "30d",
        "The amount is {value:.1f} × the card's 30-day mean.",
    ),
    *over(
        "device_transaction_count",
        "1h 24h",
        "Transactions from the device in the last {window}, before this one",
        "Transactions from the device in the {window} before: {value:.0f}.",
        entity="device",
        rare="1h",
    ),
    *over(
        "device_distinct_users",
        "24h 30d",
        "Different users of the device in the last {window}, this one included",
        "Different users of the device within {window}: {value:.0f}.",
        entity="device",
        rare="30d",
    ),
    Feature(
        "device_distinct_cards_24h",
        "Different cards used from the device in 24 hours, this one included",
        "device",
        "24h",
        "Different cards used from the device within 24 hours: {value:.0f}.",
    ),
    *MORE,
    *LATER,
]
NAMES = tuple(feature.name for feature in FEATURES)
_COLUMNS = {name: number for number, name in enumerate(NAMES)}


def column(name: str) -> int:
    """Where that feature stands in a vector."""
    return _COLUMNS[name]
