"""Serves other people's scripts out of the wheels that carry them; none lies in our repository."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

# Named files only: a wheel's folder holds more than a page should be able to load.
FILES = {
    "vendor/plotly.min.js": ("plotly", "package_data/plotly.min.js"),
    "vendor/htmx.min.js": ("django_htmx", "static/django_htmx/htmx-2.min.js"),
}


def located() -> dict[str, Path]:
    """Each vendored path with the file behind it; a package that is missing is left out."""
    found = {}
    for path, (package, inside) in FILES.items():
        spec = importlib.util.find_spec(package)
        if spec and spec.origin and (file := Path(spec.origin).parent / inside).is_file():
            found[path] = file
    return found


class _Wheel(FileSystemStorage):
    """A storage that knows one file by its vendored name, which is what collectstatic asks for."""

    def __init__(self, file: Path) -> None:
        super().__init__(location=file.parent)
        self.file = file

    def path(self, name: str) -> str:
        return str(self.file)


class VendoredFinder(BaseFinder):
    """Finds the files of FILES."""

    def find(self, path: str, find_all: bool = False, **_: object) -> str | list[str]:
        file = located().get(path)
        if find_all:
            return [str(file)] if file else []
        return str(file) if file else []

    def list(self, ignore_patterns: object) -> Iterator[tuple[str, FileSystemStorage]]:
        for path, file in located().items():
            yield path, _Wheel(file)
