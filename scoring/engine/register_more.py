"""The second part of the register, in the order of the kernel's columns."""

from scoring.engine.feature import Feature, over

MORE: list[Feature] = [
    *over(
        "total_amount",
        "1m 5m",
        "Sum of the user's amounts in the last {window}, before this one",
        "The user spent {value:,.2f} in the {window} before.",
    ),
    *over(
        "max_amount",
        "1h 24h 7d 30d",
        "Largest of the user's amounts in the last {window}, before this one",
        "The user's largest amount in the {window} before is {value:,.2f}.",
    ),
    Feature(
        "ewma_amount",
        "Mean of the user's last 100 amounts in 30 days, each counting 0.9 × the one after it",
        "user",
        "30d",
        "The user's fading mean amount is {value:,.2f}.",
    ),
    Feature(
        "amount_over_ewma",
        "Amount divided by the user's fading mean",
        "user",
        "30d",
        "The amount is {value:.1f} × the user's fading mean.",
        baseline="ewma_amount",
        baseline_phrase=" That mean is {value:,.2f}.",
    ),
    Feature(
        "new_country",
        "The user has not paid in this country in 30 days",
        "user",
        "30d",
        "The country is {not}new for the user.",
    ),
    Feature(
        "country_changed",
        "The user's last transaction with a country was in another one",
        "user",
        "30d",
        "The country is {not}another than the one the user paid in last.",
    ),
    Feature(
        "distinct_countries_24h",
        "Different countries of the user in 24 hours, this one included",
        "user",
        "24h",
        "Different countries of the user within 24 hours: {value:.0f}.",
    ),
    Feature(
        "category_spend_share_30d",
        "Share of the money the user spent in 30 days that went to this category",
        "user",
        "30d",
        "{value:.0%} of the user's money in 30 days went to this category.",
    ),
    Feature(
        "category_distance_30d",
        "Jensen-Shannon distance between the user's 30-day spending by category and this category "
        "alone: 0 always this one, 1 never",
        "user",
        "30d",
        "From the user's usual mix of categories this one lies {value:.2f} of 1 away.",
    ),
    Feature(
        "distinct_categories_30d",
        "Different categories of the user in 30 days, this one included",
        "user",
        "30d",
        "Different categories of the user in 30 days: {value:.0f}.",
    ),
    Feature(
        "merchant_share_30d",
        "Share of the user's 30-day transactions at this merchant",
        "user",
        "30d",
        "{value:.0%} of the user's transactions in 30 days were at this merchant.",
    ),
    Feature(
        "amount_over_merchant_mean_30d",
        "Amount divided by the user's 30-day mean at this merchant",
        "user",
        "30d",
        "The amount is {value:.1f} × what the user usually pays at this merchant.",
    ),
    Feature("channel_web", "Made in a browser", "event", "", "It was {not}made in a browser."),
    Feature("channel_app", "Made in an app", "event", "", "It was {not}made in an app."),
    Feature("channel_pos", "Made at a till", "event", "", "It was {not}made at a till."),
    Feature(
        "channel_atm", "Made at a cash machine", "event", "", "It was {not}made at a cash machine."
    ),
    *over(
        "card_transaction_count",
        "1m 5m 7d 30d",
        "Transactions of the card in the last {window}, before this one",
        "Transactions of the card in the {window} before: {value:.0f}.",
        entity="card",
    ),
    *over(
        "card_total_amount",
        "1h 7d 30d",
        "Sum of the card's amounts in the last {window}, before this one",
        "The card paid {value:,.2f} in the {window} before.",
        entity="card",
    ),
    *over(
        "card_mean_amount",
        "1h 24h 7d 30d",
        "Mean of the card's amounts in the last {window}",
        "The card's mean amount over {window} is {value:,.2f}.",
        entity="card",
    ),
    *over(
        "device_transaction_count",
        "1m 5m 7d 30d",
        "Transactions from the device in the last {window}, before this one",
        "Transactions from the device in the {window} before: {value:.0f}.",
        entity="device",
    ),
    *over(
        "device_total_amount",
        "1h 24h 7d 30d",
        "Sum of the amounts paid from the device in the last {window}, before this one",
        "From the device {value:,.2f} were paid in the {window} before.",
        entity="device",
    ),
]
