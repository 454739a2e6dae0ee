"""The figures of a running game that the page shows and `window.coplay.stats()` returns."""

from coplay.browser.driver import Driver
from coplay.messages.game import GameConfig, GameStats, StateChecksum


def game_stats(
    config: GameConfig,
    driver: Driver,
    *,
    buffered_amount: dict[str, int | None] | None = None,
    first_frame_ms: float | None = None,
) -> GameStats:
    """Return the current figures of a game.

    Args:
        config: The game.
        driver: The driver that plays it.
        buffered_amount: Per peer, the most bytes that waited in the data channel; None if not known.
        first_frame_ms: Time from the game's start to its first picture, in milliseconds; None if not drawn.
    """
    session, stats = driver.session, driver.session.stats
    netcode_p50, netcode_p99 = driver.netcode_time.percentiles_ms(0.5, 0.99)
    return GameStats(
        game_id=config.game_id,
        player_id=config.player_id,
        frame=session.current_frame,
        confirmed_frame=session.published_frame,
        rollbacks=stats.rollbacks,
        max_rollback_frames=stats.max_rollback_frames,
        resimulated_frames=stats.resimulated_frames,
        stalled_frames=stats.stalled_frames,
        rtt_ms={str(peer): milliseconds(link.rtt) for peer, link in stats.peers.items()},
        packets_sent=stats.packets_sent,
        bytes_sent=stats.bytes_sent,
        input_delay=session.delay,
        state_checksum=_state_checksum(driver),
        netcode_tick_ms_p50=netcode_p50,
        netcode_tick_ms_p99=netcode_p99,
        step_ms_p50=driver.step_time.percentiles_ms(0.5)[0],
        draw_ms_p50=driver.draw_time.percentiles_ms(0.5)[0],
        buffered_amount=buffered_amount,
        first_frame_ms=first_frame_ms,
    )


def milliseconds(rtt: float) -> float | None:
    """Return a round trip in milliseconds.

    Args:
        rtt: Seconds; negative if it is not measured yet, which yields None.
    """
    return None if rtt < 0 else round(1000 * rtt, 2)


def _state_checksum(driver: Driver) -> StateChecksum | None:
    if driver.last_checksum is None:
        return None
    frame, checksum = driver.last_checksum
    return StateChecksum(frame=frame, checksum=f"{checksum:016x}")
