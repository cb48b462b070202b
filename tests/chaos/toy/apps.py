"""Puts the toy in the place of the scoring pipeline."""

from django.apps import AppConfig


class Toy(AppConfig):
    name = "tests.chaos.toy"

    def ready(self) -> None:
        from scoring.tasks import BISECT, WORK, Work

        WORK[:] = [
            Work(
                "chunk",
                "scoring.Chunk",
                "tests.chaos.toy.work.perform",
                "detect",
                60,
                BISECT,
                BISECT,
            )
        ]
