import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.netcode.wire.format import MAX_DATAGRAM, MAX_FIELDS, MalformedDatagramError
from coplay.netcode.wire.hello import HelloDatagram, decode_hello, put_hello

HEADER = bytes((0x11, 0, 0, 0, 0, 0, 255))
hellos = st.builds(
    lambda flags, rtt, cost, delay, start, fields: (flags, rtt, cost, delay, start, fields),
    st.tuples(st.booleans(), st.booleans()),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.none() | st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.dictionaries(st.text(max_size=10), st.binary(min_size=8, max_size=8), max_size=20),
)


@settings(deadline=None)
@given(hellos)
def test_hello_datagram_decodes_to_what_was_encoded(parts: tuple[object, ...]) -> None:
    (wants, ready), rtt, cost, delay, start, fields = parts  # type: ignore[misc]
    hello = HelloDatagram()
    hello.wants_reply, hello.ready, hello.delay, hello.fields = wants, ready, delay, fields
    hello.rtt, hello.step_cost, hello.start_in = rtt / 10_000, cost / 100_000, start / 1000
    out = bytearray(HEADER)
    put_hello(out, hello)
    read = decode_hello(bytes(out))
    assert (read.wants_reply, read.ready, read.delay, read.fields) == (wants, ready, delay, fields)
    assert read.rtt == pytest.approx(hello.rtt)
    assert read.step_cost == pytest.approx(hello.step_cost)
    assert read.start_in == pytest.approx(hello.start_in)


@settings(deadline=None)
@given(st.binary(max_size=MAX_DATAGRAM))
def test_random_bytes_are_rejected_or_decoded_within_bounds(data: bytes) -> None:
    try:
        hello = decode_hello(HEADER + data)
    except MalformedDatagramError:
        return
    assert len(hello.fields) <= MAX_FIELDS
