"""Compiling works where nothing may be written."""

import numba

from scoring.engine.compiled import compiled


def doubled(value: int) -> int:
    return value * 2


def test_without_any_place_for_a_cache_it_still_compiles(monkeypatch):
    compile_it = numba.njit

    def nowhere(*given, cache: bool = False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return compile_it(*given, **options)

    monkeypatch.setattr("scoring.engine.compiled.numba.njit", nowhere)
    assert compiled(doubled)(21) == 42
