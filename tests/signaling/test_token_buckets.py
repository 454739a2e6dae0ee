from coplay.signaling.token_buckets import RateLimiter, TokenBucket


def test_bucket_refills_up_to_its_burst() -> None:
    bucket = TokenBucket(per_second=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000) for _ in range(4)] == [True, True, True, False]


def test_clock_that_steps_back_adds_nothing() -> None:
    bucket = TokenBucket(per_second=1, burst=1, now=100)
    assert bucket.take(100)
    assert not bucket.take(0)
    assert not bucket.take(0.5)


def test_each_key_has_its_own_bucket() -> None:
    limiter = RateLimiter(per_second=1, burst=1)
    assert limiter.take("ann", 0)
    assert not limiter.take("ann", 0)
    assert limiter.take("bob", 0)


def test_oldest_key_is_evicted_when_there_are_too_many() -> None:
    limiter = RateLimiter(per_second=0.001, burst=1, max_keys=2)
    assert [limiter.take(key, 0) for key in ("ann", "bob", "cid")] == [True] * 3
    assert not limiter.take("cid", 0)
    assert limiter.take("ann", 0)


def test_forgotten_key_starts_with_a_full_bucket() -> None:
    limiter = RateLimiter(per_second=1, burst=1)
    assert limiter.take("ann", 0)
    limiter.forget("ann")
    limiter.forget("nobody")
    assert limiter.take("ann", 0)
