"""A browser's long description of itself, as a person would say it."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

# The first that is in it: each later one claims to be the earlier ones too.
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"), ("curl", "curl"), ("python", _lazy("A Python program")),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def named(agent: str) -> str:
    """“Firefox on Linux”; what is not known is not guessed."""
    browser = next((name for mark, name in BROWSERS if mark in agent), _lazy("An unknown browser"))
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if not system:
        return str(browser)
    return _("{browser} on {system}").format(browser=browser, system=system)
