"""The kernel: every feature of one event in one backward pass over each of its entities.

Numbers only. What they mean is said in `features.FEATURES`; the names are repeated here because
numba's cache notices changes of this file alone, and a stale order would mix up columns. For the
same reason the kernel is one file, however long.
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
)
OF_EVENT, COUNT, TOTAL, MEAN, STD, SINCE, RATIO, NEW, DISTINCT, SHARE, CARD_AT, DEVICE_AT = (
    NAMES.index(name)
    for name in (
        "amount",
        "transaction_count_1m",
        "total_amount_1h",
        "mean_amount_1h",
        "std_amount_1h",
        "time_since_last_transaction_minutes",
        "amount_over_mean_30d",
        "new_device",
        "distinct_places_1m",
        "category_share_30d",
        "card_transaction_count_1h",
        "device_transaction_count_1h",
    )
)

# Columns of history.EVENT and, up to LON, of history.HISTORY.
ID, TIME, UNITS, USER, CARD, DEVICE, MERCHANT, PLACE, CATEGORY, LAT, LON, ONLINE, OFFSET = range(13)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WINDOWS = (MINUTE, 5 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY)
LONGEST = 30 * DAY
MOST_ROWS = 4096
MEDIAN_OF = 100
LARGE = 3.0  # times the median
PER_UNIT = 10_000.0
# 4096 amounts of this size still add up within 64 bits; larger ones count as this (112 billion).
MOST_UNITS = 2**50
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
def _span(rows: Integers, entity: int, key: int, time: int, id: int) -> tuple[int, int]:
    """The rows of the entity strictly before (time, id) and less than 30 days old."""
    end = _first(rows, entity, key, time, id)
    start = _first(rows, entity, key, time - LONGEST + 1, -(2**63))
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


@compiled
def _window(out: Floats, window: int, count: int, total: int, squares: float) -> None:
    """Write one window of the user: how many, how much, and from 1 h on mean and spread."""
    out[COUNT + window] = count
    if window >= 2:
        out[TOTAL + window - 2] = total / PER_UNIT
        out[MEAN + window - 2] = total / PER_UNIT / count if count else math.nan
        out[STD + window - 2] = math.sqrt(squares / (count - 1)) if count > 1 else math.nan


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
    known_device, known_merchant, known_place, known_category = False, False, False, False
    places = _added(sets[0], stamps[0], event[PLACE], stamp)
    merchants = _added(sets[1], stamps[1], event[MERCHANT], stamp)
    devices = _added(sets[2], stamps[2], event[DEVICE], stamp)
    located = -1
    window = 0
    for at in range(end - 1, start - 1, -1):
        row = rows[at]
        age = time - row[TIME]
        while age >= WINDOWS[window]:
            _window(out, window, count, total, squares)
            if window == 0:
                out[DISTINCT] = places
            if window == 3:
                out[DISTINCT + 1] = places
                out[DISTINCT + 2] = merchants
            window += 1
        own = _units(row)
        if count < MEDIAN_OF:
            amounts[count] = own
        count += 1
        total += own
        gap = own / PER_UNIT - mean
        mean += gap / count
        squares += gap * (own / PER_UNIT - mean)
        largest = max(largest, own)
        if window <= 3:
            places += _added(sets[0], stamps[0], row[PLACE], stamp)
            merchants += _added(sets[1], stamps[1], row[MERCHANT], stamp)
            same_amount += row[UNITS] == event[UNITS]
        devices += _added(sets[2], stamps[2], row[DEVICE], stamp)
        known_device |= row[DEVICE] == event[DEVICE]
        known_merchant |= row[MERCHANT] == event[MERCHANT]
        known_place |= row[PLACE] == event[PLACE]
        if row[CATEGORY] == event[CATEGORY]:
            same_category += 1
        apart = (hour - (row[TIME] + event[OFFSET] * SECOND) // HOUR) % 24
        if apart <= 3 or apart >= 21:
            same_hour += 1
        if located < 0 and not math.isnan(floats[at, LAT]) and not math.isnan(floats[at, LON]):
            located = at
    while window < 6:
        _window(out, window, count, total, squares)
        if window == 0:
            out[DISTINCT] = places
        if window == 3:
            out[DISTINCT + 1] = places
            out[DISTINCT + 2] = merchants
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

    mean30, spread = out[MEAN + 3], out[STD + 3]
    median = _median(amounts, min(count, MEDIAN_OF))
    out[RATIO] = _ratio(amount, mean30)
    out[RATIO + 1] = _ratio(amount, median)
    out[RATIO + 2] = _ratio(amount, largest / PER_UNIT)
    out[RATIO + 3] = (amount - mean30) / spread if spread > 0 else math.nan
    large = 0
    for at in range(end - 1, start - 1, -1):
        if time - rows[at, TIME] >= 14 * DAY:
            break
        large += _units(rows[at]) / PER_UNIT > LARGE * median
    out[RATIO + 4] = large
    out[RATIO + 5] = same_amount

    for number in range(4):
        out[NEW + number] = math.nan
    if count:
        if event[DEVICE]:
            out[NEW] = 0.0 if known_device else 1.0
        if event[MERCHANT]:
            out[NEW + 1] = 0.0 if known_merchant else 1.0
        if event[PLACE]:
            out[NEW + 2] = 0.0 if known_place else 1.0
        if event[CATEGORY]:
            out[NEW + 3] = 0.0 if known_category else 1.0
    out[SHARE] = same_category / count if count and event[CATEGORY] else math.nan
    out[SHARE + 1] = same_hour / count if count else math.nan
    out[SHARE + 2] = (time - rows[start, TIME]) / DAY if count else 0.0


@compiled
def _of_card(event: Integers, rows: Integers, start: int, end: int, out: Floats) -> None:
    count, total, hourly, daily, spent = 0, 0, 0, 0, 0
    for at in range(end - 1, start - 1, -1):
        age = event[TIME] - rows[at, TIME]
        count += 1
        total += _units(rows[at])
        if age < HOUR:
            hourly = count
        if age < DAY:
            daily, spent = count, total
    out[CARD_AT] = hourly
    out[CARD_AT + 1] = daily
    out[CARD_AT + 2] = spent / PER_UNIT
    out[CARD_AT + 3] = _ratio(event[UNITS] / PER_UNIT, total / PER_UNIT / max(count, 1))


@compiled
def _of_device(
    event: Integers,
    rows: Integers,
    start: int,
    end: int,
    sets: Integers,
    stamps: Integers,
    stamp: int,
    out: Floats,
) -> None:
    hourly, daily = 0, 0
    users = _added(sets[0], stamps[0], event[USER], stamp)
    cards = _added(sets[1], stamps[1], event[CARD], stamp)
    users_daily = users
    for at in range(end - 1, start - 1, -1):
        age = event[TIME] - rows[at, TIME]
        users += _added(sets[0], stamps[0], rows[at, USER], stamp)
        hourly += age < HOUR
        if age < DAY:
            daily += 1
            users_daily = users
            cards += _added(sets[1], stamps[1], rows[at, CARD], stamp)
    out[DEVICE_AT] = hourly
    out[DEVICE_AT + 1] = daily
    out[DEVICE_AT + 2] = users_daily
    out[DEVICE_AT + 3] = users
    out[DEVICE_AT + 4] = cards


@compiled
def describe(
    events: Integers,
    numbers: Floats,
    by_user: Integers,
    by_card: Integers,
    by_device: Integers,
    floats: Floats,
    vectors: Floats,
) -> None:
    """Fill one vector per event. `numbers` and `floats` are the same memory read as floats."""
    longest = max(by_user.shape[0], by_card.shape[0], by_device.shape[0])
    slots = 8
    while slots < 2 * min(longest, MOST_ROWS) + 4:
        slots *= 2
    sets = np.empty((3, slots), np.int64)
    stamps = np.zeros((3, slots), np.int64)
    amounts = np.empty(MEDIAN_OF, np.int64)
    for number in range(events.shape[0]):
        event, out = events[number], vectors[number]
        time, own = event[TIME], event[ID]
        _of_event(event, numbers[number], out)
        start, end = _span(by_user, USER, event[USER], time, own)
        _of_user(
            event,
            numbers[number],
            by_user,
            floats,
            start,
            end,
            sets,
            stamps,
            2 * number + 1,
            amounts,
            out,
        )
        out[CARD_AT:] = math.nan
        if event[CARD]:
            start, end = _span(by_card, CARD, event[CARD], time, own)
            _of_card(event, by_card, start, end, out)
        if event[DEVICE]:
            start, end = _span(by_device, DEVICE, event[DEVICE], time, own)
            _of_device(event, by_device, start, end, sets, stamps, 2 * number + 2, out)
