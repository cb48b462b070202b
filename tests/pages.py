"""The pages of the site by name, and where a person's walk over all of them begins."""

from collections.abc import Iterator

from django.urls import Resolver404, resolve, reverse

from alerts.guards import leads
from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import PUBLIC
from tests.permission_samples import SAMPLES
from tests.test_permissions import action_of

PEOPLE = ("ana", "lena", "dana", "mona", "adam")
# Pages of other hands (the packaged manual), and addresses that answer with no page of ours.
NOT_OURS = {"docs", "redoc", "schema", "metrics", "health", "health-ready", "health-deep", "jump"}
DOOR = {"account_login", "account_logout"}


def kind_of(path: str) -> str:
    """The name of a page of ours; "" for everything the walk passes by."""
    try:
        name = resolve(path).url_name or ""
    except Resolver404:
        return ""
    sample = SAMPLES.get(name)
    passed_by = sample is None or sample.method != "get" or sample.api or name in NOT_OURS
    return "" if passed_by or name in DOOR else name


def starts(user: User) -> Iterator[str]:
    """Every page that needs no object and that this person may open."""
    for name, sample in SAMPLES.items():
        if not sample.args and kind_of(reverse(name)):
            action = action_of(name)
            if action == "alert.lead" and not leads(user):
                continue  # the role alone opens none of these
            if action == PUBLIC or user.may(action):
                yield reverse(name)
