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


def describe(rows: Rows, event, frauds: Rows | None = None) -> dict[str, float]:
    """Every feature of one event from all rows of a stream, later and foreign ones included."""
    (event,) = plain(event.reshape(1))
    rows = plain(rows)
    known = [] if frauds is None else [row for row in plain(frauds) if heard_of(row, event)]
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
        **of_merchant(earlier, event),
        **of_frauds(earlier, known, event),
    }


def plain(rows: Rows) -> list[dict[str, float]]:
    """Records as Python holds them; looking into numpy's would take most of the time."""
    return [dict(zip(rows.dtype.names, row, strict=True)) for row in rows.tolist()]


def money(row) -> float:
    return min(int(row["units"]), 2**50) / UNITS


def within(rows, event, span: int):
    return [row for row in rows if event["time"] - row["time"] < span]


def different(rows, event, field: str) -> float:
    return float(len({int(row[field]) for row in [*rows, event]} - {0}))


def named(event) -> int:
    return int(event["mcc"]) or int(event["category"]) % 2**52


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
        "category": float(named(event)) or NAN,
        "amount_in_category": math.log1p(amount) if named(event) else NAN,
        **{
            f"channel_{kind}": float(event["channel"] == number) if event["channel"] else NAN
            for number, kind in enumerate(("web", "app", "pos", "atm"), start=1)
        },
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
            found[f"max_amount_{window}"] = max(amounts, default=NAN)
        else:
            found[f"total_amount_{window}"] = sum(amounts)
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
    found |= robust(rows, event, middle) | back(rows, event)
    return found | fading(amounts, amount) | abroad(rows, event) | mix(rows, event)


def robust(rows, event, middle: float) -> dict[str, float]:
    amount = int(event["units"]) / UNITS
    latest = sorted(money(row) for row in rows[-100:])
    spread = max(median(abs(own - middle) for own in latest), middle / 100) if latest else NAN
    large = [row for row in within(rows, event, 14 * DAY) if money(row) > 3 * middle]
    return {
        "amount_deviation": over(amount - middle, spread),
        "amount_over_q90": over(amount, latest[len(latest) * 9 // 10]) if latest else NAN,
        "large_amounts_3d": len(within(large, event, 3 * DAY)),
        "large_amounts_7d": len(within(large, event, 7 * DAY)),
        "large_amount_days": (event["time"] - large[-1]["time"]) / DAY if large else NAN,
    }


def back(rows, event) -> dict[str, float]:
    found = {}
    for number in range(1, 11):
        row = rows[-number] if len(rows) >= number else None
        found[f"amount_back_{number}"] = NAN if row is None else money(row)
        since = NAN if row is None else (event["time"] - row["time"]) / MINUTE
        found[f"minutes_back_{number}"] = since
    return found


def of_merchant(earlier, event) -> dict[str, float]:
    rows = [row for row in earlier if row["merchant"] == event["merchant"]]
    hour = event["time"] // HOUR * HOUR
    found: dict[str, float] = {}
    for window in ("1h", "24h", "7d", "30d"):
        since = event["time"] - HOUR + 1 if window == "1h" else hour - SPANS[window]
        amounts = [min(int(row["units"]), 2**40) / UNITS for row in rows if row["time"] >= since]
        found[f"merchant_transaction_count_{window}"] = len(amounts)
        found[f"merchant_total_amount_{window}"] = sum(amounts)
        found[f"merchant_mean_amount_{window}"] = mean(amounts) if amounts else NAN
    amount = min(int(event["units"]), 2**40) / UNITS
    found["merchant_amount_over_mean_30d"] = over(amount, found["merchant_mean_amount_30d"])
    daily = found["merchant_transaction_count_30d"] / 30
    found["merchant_surge_24h"] = over(found["merchant_transaction_count_24h"], daily)
    latest = within(rows, event, HOUR)
    found["merchant_distinct_users_1h"] = different(latest, event, "user")
    found["merchant_distinct_cards_1h"] = different(latest, event, "card")
    return found if event["merchant"] else dict.fromkeys(found, NAN)


KINDS = {"user": 1, "card": 2, "device": 3, "merchant": 4}


def heard_of(fraud, event) -> bool:
    """Paid before the event, within 180 days, and called fraud when the event took place."""
    before = (fraud["time"], fraud["id"]) < (event["time"], event["id"])
    recent = event["time"] - fraud["time"] < 180 * DAY
    return bool(before and recent and fraud["known"] <= event["time"] < fraud["until"])


def of_frauds(earlier, known, event) -> dict[str, float]:
    found: dict[str, float] = {}
    for entity, kind in KINDS.items():
        own = [row for row in known if row["kind"] == kind and row["key"] == event[entity]]
        own.sort(key=lambda row: (row["time"], row["id"]))
        name = f"{entity}_known_fraud" if entity != "user" else "known_fraud"
        told = {
            f"{name}_count_30d": len(within(own, event, 30 * DAY)),
            f"{name}_count_180d": len(own),
            f"{name}_days": (event["time"] - own[-1]["time"]) / DAY if own else NAN,
            f"{name}_heard_days": min(
                ((event["time"] - row["known"]) / DAY for row in own), default=NAN
            ),
        }
        if entity == "merchant":
            rows = [row for row in earlier if row["merchant"] == event["merchant"]]
            told |= at_merchant(rows, own, event)
        found |= told if event[entity] else dict.fromkeys(told, NAN)
    return found


def at_merchant(rows, own, event) -> dict[str, float]:
    """Of whole hours: what is left of the current hour is nobody's."""
    this_hour = event["time"] // HOUR * HOUR
    hours = [int(row["time"] // HOUR * HOUR) for row in rows if row["time"] < this_hour]
    first_hour = this_hour - 30 * DAY
    month = within(own, event, 30 * DAY)
    recent = sum(hour >= first_hour for hour in hours)
    now = sum(row["time"] >= this_hour for row in rows)
    nothing = dict.fromkeys(
        (
            "merchant_known_fraud_span_days",
            "merchant_known_fraud_density_30d",
            "merchant_silent_payments",
            "merchant_fraud_streak",
            "merchant_fraud_streak_days",
        ),
        NAN,
    )
    found = nothing | {
        "merchant_known_fraud_share_30d": over(len(month), max(len(month), recent + now)),
        "merchant_unexplained_fraud_count_30d": sum(not row["multiple"] > 3 for row in month),
        "merchant_known_fraud_multiple": min(
            (float(row["multiple"]) for row in month if row["multiple"] == row["multiple"]),
            default=NAN,
        ),
    }
    if month:
        first, last = (int(month[at]["time"]) // HOUR * HOUR for at in (0, -1))
        between = sum(first <= hour <= last for hour in hours)
        found["merchant_known_fraud_span_days"] = (event["time"] - month[0]["time"]) / DAY
        found["merchant_known_fraud_density_30d"] = len(month) / max(len(month), between)
    if own:
        last = int(own[-1]["time"]) // HOUR * HOUR
        slow = own[-1]["known"] - own[-1]["time"]
        until = (event["time"] - slow) // HOUR * HOUR
        silent = [hour for hour in hours if last < hour < until and hour >= first_hour]
        found["merchant_silent_payments"] = len(silent)
        streak = unbroken(hours, month, last)
        found["merchant_fraud_streak"] = len(streak)
        began = event["time"] - streak[0]["time"] if streak else NAN
        found["merchant_fraud_streak_days"] = began / DAY
    return found


def unbroken(hours: list[int], month, last: int):
    """The longest row of latest frauds that leaves no room for another payment in its hours."""
    best = []
    for start in {int(row["time"]) // HOUR * HOUR for row in month}:
        later = [row for row in month if row["time"] >= start]
        if sum(start <= hour <= last for hour in hours) <= len(later) and len(later) > len(best):
            best = later
    return best


def fading(amounts: list[float], amount: float) -> dict[str, float]:
    latest = amounts[-100:][::-1]
    weights = [0.9**place for place in range(len(latest))]
    total = sum(weight * own for weight, own in zip(weights, latest, strict=True))
    usual = total / sum(weights) if latest else NAN
    return {"ewma_amount": usual, "amount_over_ewma": over(amount, usual)}


def abroad(rows, event) -> dict[str, float]:
    countries = [int(row["country"]) for row in rows]
    own, known = int(event["country"]), [country for country in countries if country]
    return {
        "new_country": float(own not in countries) if rows and own else NAN,
        "country_changed": float(known[-1] != own) if known and own else NAN,
        "distinct_countries_24h": different(within(rows, event, DAY), event, "country"),
    }


def mix(rows, event) -> dict[str, float]:
    spent: dict[int, int] = {}
    for row in rows:
        own = min(int(row["units"]), 2**50)
        spent[int(row["category"])] = spent.get(int(row["category"]), 0) + own
    total, category = sum(spent.values()), int(event["category"])
    told = bool(total and category)
    shares = {name: own / total for name, own in spent.items()} if told else {}
    there = [money(row) for row in rows if row["merchant"] == event["merchant"]]
    known = bool(rows and event["merchant"])
    amount = int(event["units"]) / UNITS
    return {
        "category_spend_share_30d": shares.get(category, 0.0) if told else NAN,
        "category_distance_30d": apart(shares, {category: 1.0}) if told else NAN,
        "distinct_categories_30d": different(rows, event, "category"),
        "merchant_share_30d": len(there) / len(rows) if known else NAN,
        "amount_over_merchant_mean_30d": over(amount, mean(there)) if known and there else NAN,
    }


def apart(one: dict[int, float], other: dict[int, float]) -> float:
    """The Jensen-Shannon distance by its definition: both against their middle."""
    divergence = 0.0
    for mine, theirs in ((one, other), (other, one)):
        for name, share in mine.items():
            if share:
                divergence += share * math.log2(2 * share / (share + theirs.get(name, 0.0))) / 2
    return math.sqrt(max(0.0, divergence))


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
    found: dict[str, float] = {}
    rows = [row for row in recent if row["card"] == event["card"]]
    for window, span in SPANS.items():
        amounts = [money(row) for row in within(rows, event, span)]
        found[f"card_transaction_count_{window}"] = len(amounts)
        if window in ("1h", "24h", "7d", "30d"):
            found[f"card_total_amount_{window}"] = sum(amounts)
            found[f"card_mean_amount_{window}"] = mean(amounts) if amounts else NAN
    usual = found["card_mean_amount_30d"]
    found["card_amount_over_mean_30d"] = over(int(event["units"]) / UNITS, usual)
    return found if event["card"] else dict.fromkeys(found, NAN)


def of_device(recent, event) -> dict[str, float]:
    rows = [row for row in recent if row["device"] == event["device"]]
    day = within(rows, event, DAY)
    found = {
        "device_distinct_users_24h": different(day, event, "user"),
        "device_distinct_users_30d": different(rows, event, "user"),
        "device_distinct_cards_24h": different(day, event, "card"),
    }
    for window, span in SPANS.items():
        amounts = [money(row) for row in within(rows, event, span)]
        found[f"device_transaction_count_{window}"] = len(amounts)
        if window in ("1h", "24h", "7d", "30d"):
            found[f"device_total_amount_{window}"] = sum(amounts)
    return found if event["device"] else dict.fromkeys(found, NAN)
