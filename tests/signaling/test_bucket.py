from coplay.signaling.bucket import Buckets, TokenBucket


def test_bucket_refills_up_to_its_burst() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000) for _ in range(4)] == [True, True, True, False]


def test_clock_that_steps_back_adds_nothing() -> None:
    bucket = TokenBucket(rate=1, burst=1, now=100)
    assert bucket.take(100)
    assert not bucket.take(0)
    assert not bucket.take(0.5)


def test_buckets_are_of_each() -> None:
    buckets = Buckets(rate=1, burst=1)
    assert buckets.take("ann", 0)
    assert not buckets.take("ann", 0)
    assert buckets.take("bob", 0)


def test_those_seen_first_are_forgotten_when_there_are_too_many() -> None:
    buckets = Buckets(rate=0.001, burst=1, most=2)
    assert [buckets.take(who, 0) for who in ("ann", "bob", "cid")] == [True] * 3
    assert not buckets.take("cid", 0)
    assert buckets.take("ann", 0)
