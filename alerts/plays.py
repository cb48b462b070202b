"""What to do about each kind of fraud, as this release says it: until leads write their own.

Short enough to be read beside an alert: what it looks like, what speaks for and against it, and
steps in the order in which they save most. No step tells a customer that they are suspected.
"""

from dataclasses import dataclass

from alerts.models import Alert

T = Alert.Typology


@dataclass(frozen=True)
class Play:
    """The words and the steps of one typology."""

    text: str
    steps: tuple[str, ...]


ANY = Play(
    "Nothing known, only unusual for this customer. Find out what is different and whether they "
    "can explain it; most of these are journeys, gifts and moves.",
    (
        "Compare amount, place, device and hour with what is usual for the customer.",
        "Look for other alerts of the same card, device and merchant.",
        "Ask the customer about the payment, by the number on file.",
        "Decide, and write down in a sentence what decided it.",
    ),
)

PLAYS: dict[str, Play] = {
    T.CARD_TESTING: Play(
        "Somebody tries which stolen card numbers still work: small sums, fast, often at one "
        "merchant, many declined. The damage comes with the first large payment afterwards, so "
        "the card matters more than the sums.",
        (
            "Block the card for payments without the card; tell the customer it is replaced.",
            "Find other cards tried at the same merchant or by the same device in those hours.",
            "Put the device on the deny list; warn the merchant if many cards were tried there.",
            "Look for a larger payment after the tests, and stop or dispute it.",
            "Decide each group as one; keep the merchant and the hours for the next case.",
        ),
    ),
    T.ACCOUNT_TAKEOVER: Play(
        "Somebody else acts as the customer: a new device, then a changed address, telephone or "
        "password, then payments from a place they have never been in. A new telephone on a "
        "journey looks alike; changes of contact data do not.",
        (
            "Call the customer by the number that was on file before any change of the last days.",
            "End open sessions, lock the login and have the password set anew.",
            "Take back changes of address, telephone and payees that the customer did not make.",
            "Stop payments that are not settled; ask for those that are to be returned.",
            "Find other customers of the same device, and look at their last payments.",
        ),
    ),
    T.STOLEN_CARD: Play(
        "The card or its numbers are in other hands: places too far apart for one person, a new "
        "merchant and a sum unlike the customer. A family that shares a card, and merchants that "
        "book in another city, look alike.",
        (
            "Check whether card present and card absent payments overlap in time and place.",
            "Ask the customer whether they have the card and made the last three payments.",
            "Block and replace the card if one of them is not theirs.",
            "Look for the merchant that all affected cards visited before.",
            "Dispute what was booked, within the time the scheme allows.",
        ),
    ),
    T.SCAM: Play(
        "The customer pays by themselves and believes it is right: an investment, a love affair, "
        "a caller from the bank. They will confirm the payment, and often were told what to say. "
        "What counts is the story, not the yes.",
        (
            "Call, and ask openly what the payment is for and who told them to make it.",
            "Ask whether anybody asked them to keep it secret, to hurry or to install software.",
            "Hold the payment for as long as the law allows if the story fits a known scam.",
            "Ask the receiving bank to freeze the sum; every hour counts.",
            "Note whether the customer is at special risk, and offer what protects them.",
        ),
    ),
    T.MULE: Play(
        "Money comes in and goes on within hours, to new payees, in cash or abroad: the account "
        "passes on what others stole. Some know it, some were recruited for a job that does not "
        "exist.",
        (
            "Set what came in against what went out, and how long it stayed.",
            "Find out who paid in, and whether one of them has reported a fraud.",
            "Hold what has not left; do not tell the customer why before it is agreed.",
            "Look for accounts opened with the same device, address or telephone.",
            "Open a case: a report to the authority is likely, and its clock starts then.",
        ),
    ),
    T.STRUCTURING: Play(
        "Sums just below a limit of reporting, or one sum cut into many, over days or branches. "
        "Shops that bank their takings each day look alike: their sums vary, and their business "
        "explains them.",
        (
            "Add up what came in over a week, by customer, account and household.",
            "Compare it with the business or income the customer has told of.",
            "Look for the same pattern in accounts that share an address or a signatory.",
            "Do not ask the customer about the limit; that would tell them.",
            "Open a case if no business explains it, and weigh a report.",
        ),
    ),
    T.FIRST_PARTY: Play(
        "The customer denies a payment they made themselves, or claims that nothing arrived. "
        "Device, address and habit are their own; the claim is what is new.",
        (
            "Check whether device, place and delivery address are those the customer always uses.",
            "Ask the merchant for proof of delivery and for earlier undisputed orders.",
            "Count disputes of this customer in the last year, won and lost.",
            "Write down what speaks for and against them before the dispute is answered.",
            "Decide as fraud only with evidence that a stranger would accept.",
        ),
    ),
    T.BUST_OUT: Play(
        "Months of good conduct, then everything that can be drawn is drawn within days, with no "
        "intent to pay. The limit was raised not long before, and payments made to it bounce.",
        (
            "Freeze the limit and what was applied for but not yet paid out.",
            "Check whether incoming payments of the last days have really settled.",
            "Compare the customer's data with others of the same address, employer and telephone.",
            "Stop what is not settled; tell collections at once, not at the month's end.",
            "Look into who vouched, and which limits were raised on the same evidence.",
        ),
    ),
    T.SYNTHETIC_IDENTITY: Play(
        "A person who does not exist, made of true and invented parts. No victim calls. One "
        "device, address or telephone serves several such people.",
        (
            "List everybody who shares the device, address, telephone or card.",
            "Check the identity against a source the customer did not bring along.",
            "Ask for the person to appear, by video or in a branch.",
            "Stop new credit for all who are linked until one of them is confirmed.",
            "Put them into one case; they are one fraud with many names.",
        ),
    ),
    T.MERCHANT_COLLUSION: Play(
        "A merchant takes part: round sums, many customers for whom they are unusual, refunds to "
        "other cards, sales that nobody remembers.",
        (
            "Compare its sums, hours and refunds with merchants of the same category.",
            "Ask three of its customers whether they bought what was booked.",
            "Hold its settlement while the answers are out, if the contract allows it.",
            "Look for owners, addresses and accounts it shares with other merchants.",
            "Open a case about the merchant, not one about each customer.",
        ),
    ),
}
