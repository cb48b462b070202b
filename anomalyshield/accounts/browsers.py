"""A browser's long description of itself, as a person would say it."""

# The first that is in it: each later one claims to be the earlier ones too.
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"), ("curl", "curl"), ("python", "A Python program"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def named(agent: str) -> str:
    """“Firefox on Linux”; what is not known is not guessed."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "An unknown browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser
