"""A cache that several threads ask."""

from concurrent.futures import ThreadPoolExecutor

from app.system.shared_cache import SharedCache


def test_the_one_not_asked_for_longest_goes_first() -> None:
    cache = SharedCache[int](2)
    assert cache.get("a") is None and cache.put("a", 1) == 1
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_threads_do_not_break_it() -> None:
    cache = SharedCache[int](3)

    def ask(start: int) -> bool:
        for n in range(start, start + 3_000):
            cache.put(n % 7, n % 7)
            assert cache.get(n % 5) in (None, n % 5)
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
