"""The kernel: every feature of one event in one backward pass over each of its entities.

Numbers only. What they mean is said in the register; the names are repeated here because numba's
cache notices changes of this file alone, and a stale order would mix up columns. For the same
reason the kernel is one file, however long. New columns stand at the end, because older models
read the first ones.
"""

import math

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

NAMES = (
    "amount",
    "amount_log",
    "hour",
    "hour_sin",
    "hour_cos",
    "day_of_week",
    "is_weekend",
    "is_online",
    "transaction_count_1m",
    "transaction_count_5m",
    "transaction_count_1h",
    "transaction_count_24h",
    "transaction_count_7d",
    "transaction_count_30d",
    "total_amount_1h",
    "total_amount_24h",
    "total_amount_7d",
    "total_amount_30d",
    "mean_amount_1h",
    "mean_amount_24h",
    "mean_amount_7d",
    "mean_amount_30d",
    "std_amount_1h",
    "std_amount_24h",
    "std_amount_7d",
    "std_amount_30d",
    "time_since_last_transaction_minutes",
    "location_distance_km",
    "implied_speed_kmh",
    "amount_over_mean_30d",
    "amount_over_median",
    "amount_over_max_30d",
    "amount_zscore_30d",
    "large_amounts_14d",
    "same_amount_count_24h",
    "new_device",
    "new_merchant",
    "new_place",
    "new_category",
    "distinct_places_1m",
    "distinct_places_24h",
    "distinct_merchants_24h",
    "distinct_devices_30d",
    "category_share_30d",
    "hour_share_30d",
    "history_days",
    "card_transaction_count_1h",
    "card_transaction_count_24h",
    "card_total_amount_24h",
    "card_amount_over_mean_30d",
    "device_transaction_count_1h",
    "device_transaction_count_24h",
    "device_distinct_users_24h",
    "device_distinct_users_30d",
    "device_distinct_cards_24h",
    "total_amount_1m",
    "total_amount_5m",
    "max_amount_1h",
    "max_amount_24h",
    "max_amount_7d",
    "max_amount_30d",
    "ewma_amount",
    "amount_over_ewma",
    "new_country",
    "country_changed",
    "distinct_countries_24h",
    "category_spend_share_30d",
    "category_distance_30d",
    "distinct_categories_30d",
    "merchant_share_30d",
    "amount_over_merchant_mean_30d",
    "channel_web",
    "channel_app",
    "channel_pos",
    "channel_atm",
    "card_transaction_count_1m",
    "card_transaction_count_5m",
    "card_transaction_count_7d",
    "card_transaction_count_30d",
    "card_total_amount_1h",
    "card_total_amount_7d",
    "card_total_amount_30d",
    "card_mean_amount_1h",
    "card_mean_amount_24h",
    "card_mean_amount_7d",
    "card_mean_amount_30d",
    "device_transaction_count_1m",
    "device_transaction_count_5m",
    "device_transaction_count_7d",
    "device_transaction_count_30d",
    "device_total_amount_1h",
    "device_total_amount_24h",
    "device_total_amount_7d",
    "device_total_amount_30d",
    "merchant_transaction_count_1h",
    "merchant_transaction_count_24h",
    "merchant_transaction_count_7d",
    "merchant_transaction_count_30d",
    "merchant_total_amount_1h",
    "merchant_total_amount_24h",
    "merchant_total_amount_7d",
    "merchant_total_amount_30d",
    "merchant_mean_amount_1h",
    "merchant_mean_amount_24h",
    "merchant_mean_amount_7d",
    "merchant_mean_amount_30d",
    "merchant_amount_over_mean_30d",
    "merchant_surge_24h",
    "merchant_distinct_users_1h",
    "merchant_distinct_cards_1h",
    "known_fraud_count_30d",
    "known_fraud_count_180d",
    "known_fraud_days",
    "known_fraud_heard_days",
    "card_known_fraud_count_30d",
    "card_known_fraud_count_180d",
    "card_known_fraud_days",
    "card_known_fraud_heard_days",
    "device_known_fraud_count_30d",
    "device_known_fraud_count_180d",
    "device_known_fraud_days",
    "device_known_fraud_heard_days",
    "merchant_known_fraud_count_30d",
    "merchant_known_fraud_count_180d",
    "merchant_known_fraud_days",
    "merchant_known_fraud_heard_days",
    "merchant_known_fraud_share_30d",
    "merchant_unexplained_fraud_count_30d",
    "merchant_known_fraud_span_days",
    "merchant_known_fraud_density_30d",
    "merchant_silent_payments",
    "merchant_fraud_streak",
    "merchant_fraud_streak_days",
    "merchant_known_fraud_multiple",
    "amount_deviation",
    "amount_over_q90",
    "large_amounts_3d",
    "large_amounts_7d",
    "large_amount_days",
    "amount_back_1",
    "amount_back_2",
    "amount_back_3",
    "amount_back_4",
    "amount_back_5",
    "amount_back_6",
    "amount_back_7",
    "amount_back_8",
    "amount_back_9",
    "amount_back_10",
    "minutes_back_1",
    "minutes_back_2",
    "minutes_back_3",
    "minutes_back_4",
    "minutes_back_5",
    "minutes_back_6",
    "minutes_back_7",
    "minutes_back_8",
    "minutes_back_9",
    "minutes_back_10",
    "category",
    "amount_in_category",
)
OF_EVENT = NAMES.index("amount")
COUNT = NAMES.index("transaction_count_1m")
TOTAL = NAMES.index("total_amount_1h")
MEAN = NAMES.index("mean_amount_1h")
STD = NAMES.index("std_amount_1h")
SINCE = NAMES.index("time_since_last_transaction_minutes")
RATIO = NAMES.index("amount_over_mean_30d")
NEW = NAMES.index("new_device")
DISTINCT = NAMES.index("distinct_places_1m")
SHARE = NAMES.index("category_share_30d")
CARD_AT = NAMES.index("card_transaction_count_1h")
DEVICE_AT = NAMES.index("device_transaction_count_1h")
SMALL = NAMES.index("total_amount_1m")
MAX = NAMES.index("max_amount_1h")
EWMA = NAMES.index("ewma_amount")
COUNTRIES = NAMES.index("new_country")
MIX = NAMES.index("category_spend_share_30d")
SAME_MERCHANT = NAMES.index("merchant_share_30d")
CHANNELS = NAMES.index("channel_web")
CARD_MORE = NAMES.index("card_transaction_count_1m")
DEVICE_MORE = NAMES.index("device_transaction_count_1m")
MERCHANT_AT = NAMES.index("merchant_transaction_count_1h")
KNOWN_FRAUD = NAMES.index("known_fraud_count_30d")
OF_MERCHANT = NAMES.index("merchant_known_fraud_share_30d")
ROBUST = NAMES.index("amount_deviation")
BACK = NAMES.index("amount_back_1")
WHICH = NAMES.index("category")

# Columns of history.EVENT and, up to COUNTRY, of history.HISTORY.
ID, TIME, UNITS, USER, CARD, DEVICE, MERCHANT, PLACE, CATEGORY, LAT, LON, COUNTRY = range(12)
ONLINE, OFFSET, MCC, CHANNEL = range(12, 16)

# Columns of history.HOURS and history.FRAUDS.
STARTS, COUNTED, SUMMED = 1, 2, 3
KIND, KEY, PAID, PAYMENT, _, MULTIPLE, KNOWN, UNTIL = range(8)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WINDOWS = (MINUTE, 5 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY)
LONGEST = 30 * DAY
MOST_ROWS = 4096
LONGEST_FRAUD = 180 * DAY
MOST_FRAUDS = 1024  # the latest of one entity
MEDIAN_OF = 100
BACK_TO = 10  # payments
EXACT = 2**52 - 1  # of a key, what a float holds to the last digit
LARGE = 3.0  # times the median
FADING = 0.9  # what an amount counts beside the next one in the weighted mean
PER_UNIT = 10_000.0
# 4096 amounts of this size still add up within 64 bits; larger ones count as this (112 billion).
MOST_UNITS = 2**50
MOST_AT_MERCHANT = 2**40  # history.MOST_UNITS
EARTH_KM = 6371.0088


@compiled
def _first(rows: Integers, entity: int, key: int, time: int, id: int) -> int:
    """The first row not before (key, time, id) in rows sorted by it."""
    low, high = 0, rows.shape[0]
    while low < high:
        middle = (low + high) // 2
        row = rows[middle]
        if row[entity] != key:
            before = row[entity] < key
        elif row[TIME] != time:
            before = row[TIME] < time
        else:
            before = row[ID] < id
        if before:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _since(rows: Integers, entity: int, key: int, at: int, time: int, end: int) -> int:
    """The first row of the key whose column `at` is not below `time`, among those before `end`.

    All of the key after it are before `end`. It is mostly near, so it is looked for from there.
    """
    step, high = 1, end
    while high >= step and rows[high - step, entity] == key and rows[high - step, at] >= time:
        high -= step
        step *= 2
    low = max(0, high - step)
    while low < high:
        middle = (low + high) // 2
        if rows[middle, entity] == key and rows[middle, at] >= time:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def _span(rows: Integers, entity: int, key: int, time: int, id: int) -> tuple[int, int]:
    """The rows of the entity strictly before (time, id) and less than 30 days old."""
    end = _first(rows, entity, key, time, id)
    start = _since(rows, entity, key, TIME, time - LONGEST + 1, end)
    return max(start, end - MOST_ROWS), end


@compiled
def _added(keys: Integers, stamps: Integers, key: int, stamp: int) -> int:
    """1 if the key is new to the set of this stamp, which then holds it; the empty key never is."""
    if key == 0:
        return 0
    mask = keys.shape[0] - 1
    slot = key & mask
    while stamps[slot] == stamp:
        if keys[slot] == key:
            return 0
        slot = (slot + 1) & mask
    keys[slot] = key
    stamps[slot] = stamp
    return 1


@compiled
def _slots(rows: int) -> int:
    """The size of a set of what so many rows and an event name.

    One set for all of them would be large where one entity is busy, and far from the processor.
    """
    slots = 8
    while slots < 2 * min(rows, MOST_ROWS) + 4:
        slots *= 2
    return slots


@compiled
def _units(row: Integers) -> int:
    return int(min(row[UNITS], MOST_UNITS))


@compiled
def _kilometres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """The great-circle distance by the haversine formula."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


@compiled
def _ratio(value: float, base: float) -> float:
    return value / base if base > 0 else math.nan


@compiled
def _apart(share: float) -> float:
    """Jensen-Shannon distance (base 2) of a mix that holds a category by `share` from it alone."""
    own = math.log2(2 / (1 + share))
    mixed = 1 - share
    if share > 0:
        mixed += share * math.log2(2 * share / (1 + share))
    return math.sqrt(max(0.0, (own + mixed) / 2))


@compiled
def _windows(
    time: int, rows: Integers, start: int, end: int, counts: Integers, totals: Integers
) -> None:
    """How many and how much within each window of WINDOWS before `time`."""
    count, total, window = 0, 0, 0
    for at in range(end - 1, start - 1, -1):
        while time - rows[at, TIME] >= WINDOWS[window]:
            counts[window] = count
            totals[window] = total
            window += 1
        count += 1
        total += _units(rows[at])
    counts[window:] = count
    totals[window:] = total


@compiled
def _of_event(event: Integers, numbers: Floats, out: Floats) -> None:
    amount = event[UNITS] / PER_UNIT
    local = event[TIME] + event[OFFSET] * SECOND
    turn = 2 * math.pi * (local % DAY) / DAY
    weekday = (local // DAY + 5) % 7  # 2000-01-01 was a Saturday; Monday is 0
    out[OF_EVENT] = amount
    out[OF_EVENT + 1] = math.log1p(amount)
    out[OF_EVENT + 2] = (local // HOUR) % 24
    out[OF_EVENT + 3] = math.sin(turn)
    out[OF_EVENT + 4] = math.cos(turn)
    out[OF_EVENT + 5] = weekday
    out[OF_EVENT + 6] = 1.0 if weekday >= 5 else 0.0
    out[OF_EVENT + 7] = numbers[ONLINE]
    for kind in range(4):
        out[CHANNELS + kind] = event[CHANNEL] == kind + 1 if event[CHANNEL] else math.nan
    # The code where there is one, because codes are the same at every source; else the word's key.
    which = event[MCC] if event[MCC] else event[CATEGORY] & EXACT
    out[WHICH] = which if which else math.nan
    out[WHICH + 1] = out[OF_EVENT + 1] if which else math.nan


@compiled
def _window(out: Floats, window: int, count: int, total: int, squares: float, largest: int) -> None:
    """Write one window of the user: how many, how much; from 1 h on mean, spread and largest."""
    out[COUNT + window] = count
    if window < 2:
        out[SMALL + window] = total / PER_UNIT
    else:
        out[TOTAL + window - 2] = total / PER_UNIT
        out[MEAN + window - 2] = total / PER_UNIT / count if count else math.nan
        out[STD + window - 2] = math.sqrt(squares / (count - 1)) if count > 1 else math.nan
        out[MAX + window - 2] = largest / PER_UNIT if count else math.nan


@compiled
def _median(values: Integers, count: int) -> float:
    """The median of the first `count` values, in money; they are reordered."""
    if count == 0:
        return math.nan
    part = values[:count]
    part.sort()
    middle = count // 2
    twice = part[middle] * 2 if count % 2 else part[middle - 1] + part[middle]
    return float(twice / 2 / PER_UNIT)


@compiled
def _deviation(amount: float, median: float, values: Integers, count: int) -> float:
    """How many median absolute deviations the amount lies from the median of the sorted `values`.

    A deviation below a hundredth of the median counts as that: who always pays the same differs
    by a cent without being unusual.
    """
    if count == 0:
        return math.nan
    middle = round(2 * median * PER_UNIT)
    above = 0
    while above < count and 2 * values[above] < middle:
        above += 1
    below = above - 1
    # Sorted values deviate the more, the further from the median: both sides are merged halfway.
    last, before = 0, 0
    for _ in range(count // 2 + 1):
        before = last
        if above >= count or (
            below >= 0 and middle - 2 * values[below] < 2 * values[above] - middle
        ):
            last = middle - 2 * values[below]
            below -= 1
        else:
            last = 2 * values[above] - middle
            above += 1
    twice = 2 * last if count % 2 else before + last
    spread = float(twice / 2 / PER_UNIT) / 2
    return _ratio(amount - median, max(spread, median / 100))


@compiled
def _of_user(
    event: Integers,
    numbers: Floats,
    rows: Integers,
    floats: Floats,
    start: int,
    end: int,
    sets: Integers,
    stamps: Integers,
    stamp: int,
    amounts: Integers,
    out: Floats,
) -> None:
    time, amount = event[TIME], event[UNITS] / PER_UNIT
    hour = (event[TIME] + event[OFFSET] * SECOND) // HOUR
    count, total, largest, same_amount, same_hour, same_category = 0, 0, 0, 0, 0, 0
    mean, squares = 0.0, 0.0
    known_device, known_place, known_category, known_country = False, False, False, False
    same_merchant, merchant_total, category_total = 0, 0, 0
    faded, weights, weight = 0.0, 0.0, 1.0
    last_country = 0
    places = _added(sets[0], stamps[0], event[PLACE], stamp)
    merchants = _added(sets[1], stamps[1], event[MERCHANT], stamp)
    devices = _added(sets[2], stamps[2], event[DEVICE], stamp)
    countries = _added(sets[3], stamps[3], event[COUNTRY], stamp)
    categories = _added(sets[4], stamps[4], event[CATEGORY], stamp)
    located = -1
    window = 0
    for at in range(end - 1, start - 1, -1):
        row = rows[at]
        age = time - row[TIME]
        while age >= WINDOWS[window]:
            _window(out, window, count, total, squares, largest)
            if window == 0:
                out[DISTINCT] = places
            if window == 3:
                out[DISTINCT + 1] = places
                out[DISTINCT + 2] = merchants
                out[COUNTRIES + 2] = countries
            window += 1
        own = _units(row)
        if count < MEDIAN_OF:
            amounts[count] = own
            faded += weight * own / PER_UNIT
            weights += weight
            weight *= FADING
        count += 1
        total += own
        gap = own / PER_UNIT - mean
        mean += gap / count
        squares += gap * (own / PER_UNIT - mean)
        largest = max(largest, own)
        if window <= 3:
            places += _added(sets[0], stamps[0], row[PLACE], stamp)
            merchants += _added(sets[1], stamps[1], row[MERCHANT], stamp)
            if row[COUNTRY] != event[COUNTRY]:  # that one is counted already
                countries += _added(sets[3], stamps[3], row[COUNTRY], stamp)
            same_amount += row[UNITS] == event[UNITS]
        if row[DEVICE] == event[DEVICE]:
            known_device = True
        else:
            devices += _added(sets[2], stamps[2], row[DEVICE], stamp)
        known_country |= row[COUNTRY] == event[COUNTRY]
        if not last_country:
            last_country = row[COUNTRY]
        if row[MERCHANT] == event[MERCHANT]:
            same_merchant += 1
            merchant_total += own
        known_place |= row[PLACE] == event[PLACE]
        if row[CATEGORY] == event[CATEGORY]:
            same_category += 1
            category_total += own
        else:
            categories += _added(sets[4], stamps[4], row[CATEGORY], stamp)
        apart = (hour - (row[TIME] + event[OFFSET] * SECOND) // HOUR) % 24
        if apart <= 3 or apart >= 21:
            same_hour += 1
        if located < 0 and not math.isnan(floats[at, LAT]) and not math.isnan(floats[at, LON]):
            located = at
    while window < 6:
        _window(out, window, count, total, squares, largest)
        if window == 0:
            out[DISTINCT] = places
        if window == 3:
            out[DISTINCT + 1] = places
            out[DISTINCT + 2] = merchants
            out[COUNTRIES + 2] = countries
        window += 1
    known_category = same_category > 0
    out[DISTINCT + 3] = devices

    out[SINCE : SINCE + 3] = math.nan
    if count:
        out[SINCE] = (time - rows[end - 1, TIME]) / MINUTE
    if located >= 0 and not math.isnan(numbers[LAT]) and not math.isnan(numbers[LON]):
        away = _kilometres(floats[located, LAT], floats[located, LON], numbers[LAT], numbers[LON])
        out[SINCE + 1] = away
        # Two tills a street apart within seconds are no journey: nothing is faster than a minute.
        out[SINCE + 2] = away / (max(time - rows[located, TIME], MINUTE) / HOUR)

    for back in range(BACK_TO):
        known = back < count
        out[BACK + back] = amounts[back] / PER_UNIT if known else math.nan
        before = (time - rows[end - 1 - back, TIME]) / MINUTE if known else math.nan
        out[BACK + BACK_TO + back] = before

    mean30, spread = out[MEAN + 3], out[STD + 3]
    latest = min(count, MEDIAN_OF)
    median = _median(amounts, latest)
    out[RATIO] = _ratio(amount, mean30)
    out[RATIO + 1] = _ratio(amount, median)
    out[RATIO + 2] = _ratio(amount, largest / PER_UNIT)
    out[RATIO + 3] = (amount - mean30) / spread if spread > 0 else math.nan
    out[ROBUST + 1] = _ratio(amount, amounts[(9 * latest) // 10] / PER_UNIT) if count else math.nan
    out[ROBUST] = _deviation(amount, median, amounts, latest)
    large, large3, large7 = 0, 0, 0
    out[ROBUST + 4] = math.nan
    for at in range(end - 1, start - 1, -1):
        age = time - rows[at, TIME]
        if age >= 14 * DAY:
            break
        if _units(rows[at]) / PER_UNIT > LARGE * median:
            if not large:
                out[ROBUST + 4] = age / DAY
            large += 1
            large3 += age < 3 * DAY
            large7 += age < 7 * DAY
    out[RATIO + 4] = large
    out[ROBUST + 2] = large3
    out[ROBUST + 3] = large7
    out[RATIO + 5] = same_amount

    for number in range(4):
        out[NEW + number] = math.nan
    if count:
        if event[DEVICE]:
            out[NEW] = 0.0 if known_device else 1.0
        if event[MERCHANT]:
            out[NEW + 1] = 0.0 if same_merchant else 1.0
        if event[PLACE]:
            out[NEW + 2] = 0.0 if known_place else 1.0
        if event[CATEGORY]:
            out[NEW + 3] = 0.0 if known_category else 1.0
    out[SHARE] = same_category / count if count and event[CATEGORY] else math.nan
    out[SHARE + 1] = same_hour / count if count else math.nan
    out[SHARE + 2] = (time - rows[start, TIME]) / DAY if count else 0.0

    out[EWMA] = faded / weights if count else math.nan
    out[EWMA + 1] = _ratio(amount, out[EWMA])
    out[COUNTRIES : COUNTRIES + 2] = math.nan
    if count and event[COUNTRY]:
        out[COUNTRIES] = 0.0 if known_country else 1.0
        if last_country:
            out[COUNTRIES + 1] = 0.0 if last_country == event[COUNTRY] else 1.0
    out[MIX : MIX + 2] = math.nan
    if total and event[CATEGORY]:
        out[MIX] = category_total / total
        out[MIX + 1] = _apart(category_total / total)
    out[MIX + 2] = categories
    out[SAME_MERCHANT : SAME_MERCHANT + 2] = math.nan
    if count and event[MERCHANT]:
        out[SAME_MERCHANT] = same_merchant / count
        mean_there = merchant_total / PER_UNIT / max(same_merchant, 1)
        out[SAME_MERCHANT + 1] = _ratio(amount, mean_there)


@compiled
def _of_card(
    event: Integers,
    rows: Integers,
    start: int,
    end: int,
    counts: Integers,
    totals: Integers,
    out: Floats,
) -> None:
    _windows(event[TIME], rows, start, end, counts, totals)
    out[CARD_AT] = counts[2]
    out[CARD_AT + 1] = counts[3]
    out[CARD_AT + 2] = totals[3] / PER_UNIT
    out[CARD_AT + 3] = _ratio(event[UNITS] / PER_UNIT, totals[5] / PER_UNIT / max(counts[5], 1))
    out[CARD_MORE] = counts[0]
    out[CARD_MORE + 1] = counts[1]
    out[CARD_MORE + 2] = counts[4]
    out[CARD_MORE + 3] = counts[5]
    out[CARD_MORE + 4] = totals[2] / PER_UNIT
    out[CARD_MORE + 5] = totals[4] / PER_UNIT
    out[CARD_MORE + 6] = totals[5] / PER_UNIT
    for at in range(4):
        count = counts[2 + at]
        out[CARD_MORE + 7 + at] = totals[2 + at] / PER_UNIT / count if count else math.nan


@compiled
def _of_device(
    event: Integers,
    rows: Integers,
    start: int,
    end: int,
    sets: Integers,
    stamps: Integers,
    stamp: int,
    counts: Integers,
    totals: Integers,
    out: Floats,
) -> None:
    _windows(event[TIME], rows, start, end, counts, totals)
    users = _added(sets[0], stamps[0], event[USER], stamp)
    cards = _added(sets[1], stamps[1], event[CARD], stamp)
    users_daily = users
    for at in range(end - 1, start - 1, -1):
        age = event[TIME] - rows[at, TIME]
        users += _added(sets[0], stamps[0], rows[at, USER], stamp)
        if age < DAY:
            users_daily = users
            cards += _added(sets[1], stamps[1], rows[at, CARD], stamp)
    out[DEVICE_AT] = counts[2]
    out[DEVICE_AT + 1] = counts[3]
    out[DEVICE_AT + 2] = users_daily
    out[DEVICE_AT + 3] = users
    out[DEVICE_AT + 4] = cards
    out[DEVICE_MORE] = counts[0]
    out[DEVICE_MORE + 1] = counts[1]
    out[DEVICE_MORE + 2] = counts[4]
    out[DEVICE_MORE + 3] = counts[5]
    for at in range(4):
        out[DEVICE_MORE + 4 + at] = totals[2 + at] / PER_UNIT


@compiled
def _hour(hours: Integers, merchant: int, start: int) -> int:
    """The first of the hours not before (merchant, start)."""
    low, high = 0, hours.shape[0]
    while low < high:
        middle = (low + high) // 2
        row = hours[middle]
        if row[0] < merchant or (row[0] == merchant and row[STARTS] < start):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _of_merchant(
    event: Integers,
    rows: Integers,
    hours: Integers,
    sums: Integers,
    sets: Integers,
    stamps: Integers,
    stamp: int,
    out: Floats,
) -> None:
    """The last hour from its payments; longer windows from whole hours and the current one."""
    time, merchant = event[TIME], event[MERCHANT]
    amount = min(event[UNITS], MOST_AT_MERCHANT) / PER_UNIT
    this_hour = time // HOUR * HOUR
    end = _first(rows, MERCHANT, merchant, time, event[ID])
    start = _since(rows, MERCHANT, merchant, TIME, time - HOUR + 1, end)
    start = max(start, end - MOST_ROWS)
    slots = _slots(end - start)
    seen_users, seen_cards = sets[:slots], sets[slots : 2 * slots]
    user_stamps, card_stamps = stamps[:slots], stamps[slots : 2 * slots]
    users = _added(seen_users, user_stamps, event[USER], stamp)
    cards = _added(seen_cards, card_stamps, event[CARD], stamp)
    total, current, spent = 0, 0, 0
    for at in range(end - 1, start - 1, -1):
        own = min(rows[at, UNITS], MOST_AT_MERCHANT)
        total += own
        if rows[at, TIME] >= this_hour:
            current += 1
            spent += own
        users += _added(seen_users, user_stamps, rows[at, USER], stamp)
        cards += _added(seen_cards, card_stamps, rows[at, CARD], stamp)
    count = end - start
    upto = _hour(hours, merchant, this_hour)
    since = upto
    for window in range(4):
        if window:
            since = _since(hours, 0, merchant, STARTS, this_hour - WINDOWS[window + 2], since)
            count = current + sums[0, upto] - sums[0, since]
            total = spent + sums[1, upto] - sums[1, since]
        out[MERCHANT_AT + window] = count
        out[MERCHANT_AT + 4 + window] = total / PER_UNIT
        out[MERCHANT_AT + 8 + window] = total / PER_UNIT / count if count else math.nan
    out[MERCHANT_AT + 12] = _ratio(amount, out[MERCHANT_AT + 11])
    out[MERCHANT_AT + 13] = _ratio(30 * out[MERCHANT_AT + 1], count)
    out[MERCHANT_AT + 14] = users
    out[MERCHANT_AT + 15] = cards


@compiled
def _fraud(frauds: Integers, kind: int, key: int, time: int, payment: int) -> int:
    """The first of the known frauds not before (kind, key, time, payment)."""
    low, high = 0, frauds.shape[0]
    while low < high:
        middle = (low + high) // 2
        row = frauds[middle]
        if row[KIND] != kind:
            before = row[KIND] < kind
        elif row[KEY] != key:
            before = row[KEY] < key
        elif row[PAID] != time:
            before = row[PAID] < time
        else:
            before = row[PAYMENT] < payment
        if before:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _streak(
    frauds: Integers,
    start: int,
    latest: int,
    time: int,
    hours: Integers,
    sums: Integers,
    since: int,
) -> tuple[int, int]:
    """How many of the merchant's latest known frauds fill all its hours, and when they began.

    `since` is the first of the merchant's hours after the latest.
    """
    streak, began, found, paid = 0, 0, 0, 0
    merchant = frauds[latest, KEY]
    for at in range(latest, start - 2, -1):
        known = at >= start and frauds[at, KNOWN] <= time < frauds[at, UNTIL]
        if at >= start and not known:
            continue
        if found and (at < start or frauds[at, PAID] // HOUR != paid // HOUR):
            first = _hour(hours, merchant, paid // HOUR * HOUR)
            if sums[0, since] - sums[0, first] > found:
                break
            streak, began = found, paid
        if at >= start:
            paid = frauds[at, PAID]
            if time - paid >= LONGEST:
                break
            found += 1
    return streak, began


@compiled
def _of_frauds(
    event: Integers,
    frauds: Integers,
    floats: Floats,
    kind: int,
    key: int,
    hours: Integers,
    sums: Integers,
    out: Floats,
) -> None:
    """What was known of the entity's frauds when the event took place, whenever it is asked."""
    time = event[TIME]
    end = _fraud(frauds, kind, key, time, event[ID])
    start = max(_fraud(frauds, kind, key, time - LONGEST_FRAUD + 1, -(2**63)), end - MOST_FRAUDS)
    month, half_year, unexplained, least = 0, 0, 0, math.inf
    latest, earliest, heard = -1, -1, -(2**63)
    for at in range(end - 1, start - 1, -1):
        row = frauds[at]
        if row[KNOWN] > time or row[UNTIL] <= time:
            continue
        half_year += 1
        heard = max(heard, row[KNOWN])
        if latest < 0:
            latest = at
        if time - row[PAID] < LONGEST:
            month += 1
            earliest = at
            unexplained += not floats[at, MULTIPLE] > LARGE
            if floats[at, MULTIPLE] < least:
                least = floats[at, MULTIPLE]
    base = KNOWN_FRAUD + 4 * (kind - 1)
    out[base] = month
    out[base + 1] = half_year
    out[base + 2] = (time - frauds[latest, PAID]) / DAY if half_year else math.nan
    out[base + 3] = (time - heard) / DAY if half_year else math.nan
    if kind == 4:
        out[OF_MERCHANT] = _ratio(month, max(month, out[MERCHANT_AT + 3]))
        out[OF_MERCHANT + 1] = unexplained
        out[OF_MERCHANT + 2 : OF_MERCHANT + 7] = math.nan
        out[OF_MERCHANT + 7] = least if least < math.inf else math.nan
        if half_year:
            # As slow as this one became known, every payment of then would be known by now.
            slow = frauds[latest, KNOWN] - frauds[latest, PAID]
            this_hour = time // HOUR * HOUR
            after = min(frauds[latest, PAID] // HOUR * HOUR + HOUR, this_hour)
            since = _hour(hours, key, max(after, this_hour - LONGEST))
            upto = _hour(hours, key, (time - slow) // HOUR * HOUR)
            out[OF_MERCHANT + 4] = sums[0, max(upto, since)] - sums[0, since]
            streak, began = _streak(frauds, start, latest, time, hours, sums, since)
            out[OF_MERCHANT + 5] = streak
            out[OF_MERCHANT + 6] = (time - began) / DAY if streak else math.nan
        if month:
            first, last = frauds[earliest, PAID], frauds[latest, PAID]
            out[OF_MERCHANT + 2] = (time - first) / DAY
            since = _hour(hours, key, first // HOUR * HOUR)
            upto = _hour(hours, key, min(last, time - HOUR) // HOUR * HOUR + HOUR)
            between = sums[0, max(upto, since)] - sums[0, since]
            out[OF_MERCHANT + 3] = month / max(month, between)


@compiled
def describe(
    events: Integers,
    numbers: Floats,
    by_user: Integers,
    by_card: Integers,
    by_device: Integers,
    floats: Floats,
    by_merchant: Integers,
    hours: Integers,
    sums: Integers,
    frauds: Integers,
    multiples: Floats,
    vectors: Floats,
) -> None:
    """Fill one vector per event.

    `numbers`, `floats` and `multiples` are the memory of events, by_user and frauds read as floats.
    `sums` are how many and how much before each row of hours, whosever they were.
    """
    longest = max(by_user.shape[0], by_card.shape[0], by_device.shape[0], by_merchant.shape[0])
    room = 5 * _slots(longest)
    sets = np.empty(room, np.int64)
    stamps = np.zeros(room, np.int64)
    amounts = np.empty(MEDIAN_OF, np.int64)
    counts, totals = np.empty(6, np.int64), np.empty(6, np.int64)
    for number in range(events.shape[0]):
        event, out = events[number], vectors[number]
        time, own = event[TIME], event[ID]
        _of_event(event, numbers[number], out)
        start, end = _span(by_user, USER, event[USER], time, own)
        slots = _slots(end - start)
        _of_user(
            event,
            numbers[number],
            by_user,
            floats,
            start,
            end,
            sets[: 5 * slots].reshape(5, slots),
            stamps[: 5 * slots].reshape(5, slots),
            3 * number + 1,
            amounts,
            out,
        )
        out[CARD_AT : DEVICE_AT + 5] = math.nan
        out[CARD_MORE:ROBUST] = math.nan
        _of_frauds(event, frauds, multiples, 1, event[USER], hours, sums, out)
        if event[CARD]:
            start, end = _span(by_card, CARD, event[CARD], time, own)
            _of_card(event, by_card, start, end, counts, totals, out)
            _of_frauds(event, frauds, multiples, 2, event[CARD], hours, sums, out)
        if event[DEVICE]:
            start, end = _span(by_device, DEVICE, event[DEVICE], time, own)
            slots = _slots(end - start)
            _of_device(
                event,
                by_device,
                start,
                end,
                sets[: 2 * slots].reshape(2, slots),
                stamps[: 2 * slots].reshape(2, slots),
                3 * number + 2,
                counts,
                totals,
                out,
            )
            _of_frauds(event, frauds, multiples, 3, event[DEVICE], hours, sums, out)
        if event[MERCHANT]:
            _of_merchant(event, by_merchant, hours, sums, sets, stamps, 3 * number + 3, out)
            _of_frauds(event, frauds, multiples, 4, event[MERCHANT], hours, sums, out)
