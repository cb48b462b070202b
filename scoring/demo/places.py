"""Where the demo's people live, travel and are robbed, and what is sold there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A city with its position and clocks."""

    name: str
    country: str
    latitude: float
    longitude: float
    zone: str


@dataclass(frozen=True, slots=True)
class Trade:
    """A kind of merchant: what one pays there, and how often people go."""

    name: str
    mcc: str
    median: float  # of an amount, USD
    spread: float  # of its logarithm
    often: float  # relative weight among a customer's payments
    online: bool = False


HOMES = [
    Place("New York", "US", 40.713, -74.006, "America/New_York"),
    Place("Chicago", "US", 41.878, -87.630, "America/Chicago"),
    Place("Los Angeles", "US", 34.052, -118.244, "America/Los_Angeles"),
    Place("Toronto", "CA", 43.653, -79.383, "America/Toronto"),
    Place("London", "GB", 51.507, -0.128, "Europe/London"),
    Place("Mumbai", "IN", 19.076, 72.878, "Asia/Kolkata"),
]
ABROAD = [
    Place("Paris", "FR", 48.857, 2.352, "Europe/Paris"),
    Place("Lagos", "NG", 6.524, 3.379, "Africa/Lagos"),
    Place("São Paulo", "BR", -23.551, -46.633, "America/Sao_Paulo"),
    Place("Bucharest", "RO", 44.427, 26.103, "Europe/Bucharest"),
    Place("Singapore", "SG", 1.352, 103.820, "Asia/Singapore"),
    Place("Miami", "US", 25.762, -80.192, "America/New_York"),
]
PLACES = HOMES + ABROAD

SHOPS = [
    Trade("groceries", "5411", 42, 0.55, 30),
    Trade("restaurant", "5812", 31, 0.5, 18),
    Trade("fuel", "5541", 47, 0.35, 10),
    Trade("pharmacy", "5912", 19, 0.6, 6),
    Trade("bar", "5813", 36, 0.6, 4),
    Trade("clothing", "5651", 78, 0.7, 4),
    Trade("electronics", "5732", 240, 0.9, 1.2),
    Trade("jewellery", "5944", 380, 0.8, 0.3),
    Trade("cash deposit", "6010", 2_200, 0.8, 0.0),  # only of those who keep a shop
]
ONLINE = [
    Trade("marketplace", "5999", 48, 0.8, 12, online=True),
    Trade("streaming", "4899", 13, 0.25, 4, online=True),
    Trade("games", "5816", 16, 0.7, 3, online=True),
    Trade("travel", "4722", 340, 0.8, 1, online=True),
    Trade("gift cards", "5947", 60, 0.6, 0.6, online=True),
    Trade("charity", "8398", 25, 0.6, 0.8, online=True),
    Trade("gambling", "7995", 45, 0.8, 0.0, online=True),  # only of those who gamble
    Trade("wallet top-up", "6540", 60, 0.9, 1.2, online=True),
    Trade("money transfer", "4829", 260, 0.7, 0.0, online=True),  # only of those who send money
    Trade("crypto exchange", "6051", 300, 0.9, 0.0, online=True),
]
TRADES = SHOPS + ONLINE
FIRST_WORDS = (
    *("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord"),
    *("Grove", "Harbor", "Iris", "Juniper", "Kite", "Linden"),
)
LAST_WORDS = {
    "groceries": "Market",
    "restaurant": "Kitchen",
    "fuel": "Fuel",
    "pharmacy": "Pharmacy",
    "bar": "Taproom",
    "clothing": "Outfitters",
    "electronics": "Electronics",
    "jewellery": "Jewellers",
    "cash deposit": "Bank Branch",
    "wallet top-up": "Wallet",
    "charity": "Relief",
    "marketplace": "Bazaar",
    "streaming": "Stream",
    "games": "Games",
    "travel": "Travel",
    "gift cards": "Gifts",
    "gambling": "Bets",
    "money transfer": "Transfer",
    "crypto exchange": "Coin",
}
