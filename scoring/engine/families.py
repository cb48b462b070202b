"""Families: the features that say the same kind of thing, one way of looking at a payment each."""

from dataclasses import dataclass

from scoring.engine.plan import AGGREGATIONS, WINDOWS, aggregate
from scoring.engine.register_later import BACK_TO


@dataclass(frozen=True)
class Family:
    """A title, what it is for, and its features."""

    title: str
    meaning: str
    features: tuple[str, ...]


def _windows(entity_key: str, *kinds: str) -> tuple[str, ...]:
    every = (aggregate(entity_key, window, kind) for kind in kinds for window in WINDOWS)
    return tuple(name for name in every if name)


FAMILIES = {
    "time": Family(
        "Time",
        "When it happened, on the entity's own clocks, and how usual that hour is",
        ("hour", "hour_sin", "hour_cos", "day_of_week", "is_weekend", "hour_share_30d",
         "time_since_last_transaction_minutes", "history_days"),
    ),
    "amount": Family("Amount", "How much, in the base currency", ("amount", "amount_log")),
    "baseline": Family(
        "Amount against the own baseline",
        "How far the amount lies from what this user or card usually pays",
        ("amount_over_mean_30d", "amount_over_median", "amount_over_max_30d",
         "amount_zscore_30d", "large_amounts_14d", "same_amount_count_24h", "ewma_amount",
         "amount_over_ewma", "card_amount_over_mean_30d", "amount_deviation",
         "amount_over_q90", "large_amounts_3d", "large_amounts_7d", "large_amount_days"),
    ),
    "user_windows": Family(
        "Windows of the user",
        "How many and how much in the last minute to 30 days",
        _windows("user_id", *AGGREGATIONS),
    ),
    "card_windows": Family(
        "Windows of the card",
        "The same of the card: a stolen card is used by somebody else's rhythm",
        _windows("card_id", *AGGREGATIONS),
    ),
    "device_windows": Family(
        "Windows of the device",
        "The same of the device: one telephone that tests many cards is fast",
        _windows("device_id", *AGGREGATIONS),
    ),
    "merchant_windows": Family(
        "Windows of the merchant",
        "How many and how much at the merchant in the last hour to 30 days, and by how many",
        (*_windows("merchant_id", *AGGREGATIONS),
           "merchant_amount_over_mean_30d", "merchant_surge_24h",
           "merchant_distinct_users_1h", "merchant_distinct_cards_1h"),
    ),
    "known_frauds": Family(
        "Known frauds",
        "What was known by then of earlier frauds of the user, card, device and merchant",
        (*(f"{whose}known_fraud_{what}"
           for whose in ("", "card_", "device_", "merchant_")
           for what in ("count_30d", "count_180d", "days", "heard_days")),
           "merchant_known_fraud_share_30d", "merchant_unexplained_fraud_count_30d",
           "merchant_known_fraud_span_days", "merchant_known_fraud_density_30d",
           "merchant_silent_payments", "merchant_fraud_streak", "merchant_fraud_streak_days",
           "merchant_known_fraud_multiple"),
    ),
    "sequence": Family(
        "The last payments",
        "Amounts and times of the user's last ten payments, for detectors that read sequences",
        tuple(
            f"{what}_back_{back}"
            for what in ("amount", "minutes")
            for back in range(1, BACK_TO + 1)
        ),
    ),
    "sharing": Family(
        "Sharing",
        "How many users and cards one device serves, and how many devices one user has",
        ("device_distinct_users_24h", "device_distinct_users_30d", "device_distinct_cards_24h",
         "distinct_devices_30d"),
    ),
    "place": Family(
        "Distance and speed",
        "How far from the last known place, and how fast one would have travelled",
        ("location_distance_km", "implied_speed_kmh", "distinct_places_1m",
         "distinct_places_24h"),
    ),
    "novelty": Family(
        "New device, merchant, place, country",
        "What the user has not done in 30 days",
        ("new_device", "new_merchant", "new_place", "new_category", "new_country",
         "country_changed", "distinct_countries_24h"),
    ),
    "mix": Family(
        "Categories and merchants",
        "How the payment fits what the user's money usually goes to",
        ("category", "amount_in_category", "category_share_30d", "category_spend_share_30d",
         "category_distance_30d", "distinct_categories_30d", "distinct_merchants_24h",
         "merchant_share_30d", "amount_over_merchant_mean_30d"),
    ),
    "channel": Family(
        "Channel",
        "By which way it came in",
        ("is_online", "channel_web", "channel_app", "channel_pos", "channel_atm"),
    ),
}  # fmt: skip
_FAMILY_OF = {name: key for key, family in FAMILIES.items() for name in family.features}


def family_of(name: str) -> str:
    """The key of the family a feature belongs to."""
    return _FAMILY_OF[name]
