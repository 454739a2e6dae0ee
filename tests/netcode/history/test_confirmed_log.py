from coplay.netcode.history.confirmed_log import ConfirmedLog


def test_hash_depends_on_every_part_but_not_on_the_order_of_arrival() -> None:
    def chain(
        *, inputs: bytes = b"ab", checksum: int = 1, last: int = 1, leaves: tuple[()] = (), swap: bool = False
    ) -> bytes:
        log = ConfirmedLog()
        if swap:
            log.checksums.append((1, checksum))
        for value in inputs:
            log.add_inputs((bytes((value,)), b"-"))
        if not swap:
            log.checksums.append((1, checksum))
        return log.digest(last, leaves)

    assert chain() == chain(swap=True)
    different = {chain(), chain(inputs=b"ac"), chain(checksum=2), chain(last=2)}
    assert len(different) == 4
    left = ConfirmedLog()
    assert left.digest(5, [(1, 3), (0, 2)]) == ConfirmedLog().digest(5, [(0, 2), (1, 3)])
    assert left.digest(5, [(1, 3)]) != ConfirmedLog().digest(5)


def test_hashing_in_between_does_not_change_the_hash() -> None:
    one, other = ConfirmedLog(), ConfirmedLog()
    for frame in range(3000):
        one.add_inputs((bytes((frame % 251,)),))
        other.add_inputs((bytes((frame % 251,)),))
        if frame % 100 == 0:
            other.digest(frame)
    assert one.digest(2999) == other.digest(2999)
