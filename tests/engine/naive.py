"""The features once more, written as slowly and plainly as possible: what the kernel is held to."""

import math
from statistics import mean, median, stdev

from scoring.engine.history import Rows
from scoring.engine.transaction import UNITS

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SPANS = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
NAN = math.nan


def describe(rows: Rows, event) -> dict[str, float]:
    """Every feature of one event from all rows of a stream, later and foreign ones included."""
    earlier = sorted(
        (row for row in rows if (row["time"], row["id"]) < (event["time"], event["id"])),
        key=lambda row: (row["time"], row["id"]),
    )
    recent = [row for row in earlier if event["time"] - row["time"] < 30 * DAY]
    return {
        **of_event(event),
        **of_user([row for row in recent if row["user"] == event["user"]], event),
        **of_card(recent, event),
        **of_device(recent, event),
    }


def money(row) -> float:
    return min(int(row["units"]), 2**50) / UNITS


def within(rows, event, span: int):
    return [row for row in rows if event["time"] - row["time"] < span]


def different(rows, event, field: str) -> float:
    return float(len({int(row[field]) for row in [*rows, event]} - {0}))


def of_event(event) -> dict[str, float]:
    amount = int(event["units"]) / UNITS
    local = int(event["time"]) + int(event["offset"]) * 1_000_000
    turn = 2 * math.pi * (local % DAY) / DAY
    weekday = (local // DAY + 5) % 7
    return {
        "amount": amount,
        "amount_log": math.log1p(amount),
        "hour": local % DAY // HOUR,
        "hour_sin": math.sin(turn),
        "hour_cos": math.cos(turn),
        "day_of_week": weekday,
        "is_weekend": float(weekday in (5, 6)),
        "is_online": float(event["online"]),
    }


def of_user(rows, event) -> dict[str, float]:
    found: dict[str, float] = {}
    amount = int(event["units"]) / UNITS
    for window, span in SPANS.items():
        amounts = [money(row) for row in within(rows, event, span)]
        found[f"transaction_count_{window}"] = len(amounts)
        if window in ("1h", "24h", "7d", "30d"):
            found[f"total_amount_{window}"] = sum(amounts)
            found[f"mean_amount_{window}"] = mean(amounts) if amounts else NAN
            found[f"std_amount_{window}"] = stdev(amounts) if len(amounts) > 1 else NAN
    amounts = [money(row) for row in rows]
    middle = median(amounts[-100:]) if rows else NAN
    day = within(rows, event, DAY)
    found |= journey(rows, event)
    found["amount_over_mean_30d"] = over(amount, found["mean_amount_30d"])
    found["amount_over_median"] = over(amount, middle)
    found["amount_over_max_30d"] = over(amount, max(amounts, default=NAN))
    found["amount_zscore_30d"] = over(amount - found["mean_amount_30d"], found["std_amount_30d"])
    fortnight = within(rows, event, 14 * DAY)
    found["large_amounts_14d"] = sum(money(row) > 3 * middle for row in fortnight)
    found["same_amount_count_24h"] = sum(row["units"] == event["units"] for row in day)
    for field in ("device", "merchant", "place", "category"):
        seen = any(row[field] == event[field] for row in rows)
        found[f"new_{field}"] = float(not seen) if rows and event[field] else NAN
    found["distinct_places_1m"] = different(within(rows, event, MINUTE), event, "place")
    found["distinct_places_24h"] = different(day, event, "place")
    found["distinct_merchants_24h"] = different(day, event, "merchant")
    found["distinct_devices_30d"] = different(rows, event, "device")
    alike = sum(row["category"] == event["category"] for row in rows)
    found["category_share_30d"] = alike / len(rows) if rows and event["category"] else NAN
    found["hour_share_30d"] = sum(near(row, event) for row in rows) / len(rows) if rows else NAN
    found["history_days"] = (event["time"] - rows[0]["time"]) / DAY if rows else 0.0
    return found


def over(value: float, base: float) -> float:
    return value / base if base > 0 else NAN


def near(row, event) -> bool:
    hours = [(int(one["time"]) + int(event["offset"]) * 1_000_000) // HOUR for one in (row, event)]
    apart = abs(hours[0] - hours[1]) % 24
    return min(apart, 24 - apart) <= 3


def journey(rows, event) -> dict[str, float]:
    found = {"time_since_last_transaction_minutes": NAN}
    found |= {"location_distance_km": NAN, "implied_speed_kmh": NAN}
    if rows:
        since = (event["time"] - rows[-1]["time"]) / MINUTE
        found["time_since_last_transaction_minutes"] = since
    located = [row for row in rows if not math.isnan(row["lat"]) and not math.isnan(row["lon"])]
    if located and not math.isnan(event["lat"]) and not math.isnan(event["lon"]):
        away = kilometres(located[-1], event)
        hours = max(event["time"] - located[-1]["time"], MINUTE) / HOUR
        found |= {"location_distance_km": away, "implied_speed_kmh": away / hours}
    return found


def kilometres(one, other) -> float:
    """By the angle between two unit vectors, not by the formula of the kernel."""
    first, second = (
        (
            math.cos(math.radians(row["lat"])) * math.cos(math.radians(row["lon"])),
            math.cos(math.radians(row["lat"])) * math.sin(math.radians(row["lon"])),
            math.sin(math.radians(row["lat"])),
        )
        for row in (one, other)
    )
    return 2 * 6371.0088 * math.asin(min(1.0, math.dist(first, second) / 2))


def of_card(recent, event) -> dict[str, float]:
    names = ("card_transaction_count_1h", "card_transaction_count_24h", "card_total_amount_24h")
    if not event["card"]:
        return dict.fromkeys([*names, "card_amount_over_mean_30d"], NAN)
    rows = [row for row in recent if row["card"] == event["card"]]
    day = within(rows, event, DAY)
    amounts = [money(row) for row in rows]
    counts = (len(within(rows, event, HOUR)), len(day), sum(money(row) for row in day))
    average = over(int(event["units"]) / UNITS, mean(amounts)) if amounts else NAN
    return dict(zip(names, counts, strict=True)) | {"card_amount_over_mean_30d": average}


def of_device(recent, event) -> dict[str, float]:
    rows = [row for row in recent if row["device"] == event["device"]]
    day = within(rows, event, DAY)
    found = {
        "device_transaction_count_1h": len(within(rows, event, HOUR)),
        "device_transaction_count_24h": len(day),
        "device_distinct_users_24h": different(day, event, "user"),
        "device_distinct_users_30d": different(rows, event, "user"),
        "device_distinct_cards_24h": different(day, event, "card"),
    }
    return found if event["device"] else dict.fromkeys(found, NAN)
