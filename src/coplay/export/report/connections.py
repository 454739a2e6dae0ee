"""The report's small tables about the network: the quality of links, and how smoothly each side played."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Final

from coplay.export.report.report_tables import ReportRow, ReportTables, Share, unique_prefix_length

_BINS: Final = 40
_WIDTHS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_LINKS: Final = {
    "direct": "direct",
    "turn": "turn: through a TURN server",
    "relay": "relay: through the study's server",
}


def round_trips(data: ReportTables) -> list[ReportRow]:
    """Count seconds by round-trip time and link, in bins; the last bin includes all longer times."""
    measured = [(row["link"] or "unknown", row["rtt_ms"]) for row in data["net"] if row["rtt_ms"] is not None]
    if not measured:
        return []
    longest = quantile((trip for _, trip in measured), 0.995)
    width = next(size for size in _WIDTHS_MS if longest / size < _BINS or size == _WIDTHS_MS[-1])
    last = int(longest / width)
    counts = Counter((link, min(int(trip / width), last)) for link, trip in measured)
    return [
        {"link": link, "from": width * place, "to": width * (place + 1), "seconds": n}
        for (link, place), n in sorted(counts.items())
    ]


def by_link(data: ReportTables) -> list[ReportRow]:
    """Compute how good each kind of link was."""
    found: dict[str, list[ReportRow]] = defaultdict(list)
    for row in data["net"]:
        if row["peer"] is not None:
            found[row["link"] or "unknown"].append(row)
    total = sum(map(len, found.values()))
    return [
        {"link": _LINKS.get(link, link), "share": Share(len(rows) / total), **_quality(rows)}
        for link, rows in sorted(found.items())
    ]


def by_game(data: ReportTables) -> list[ReportRow]:
    """Compute how good the links of each game were, and how often it stood still; the worst game first."""
    games = {game["game_id"]: game for game in data["games"]}
    length = unique_prefix_length(games)
    found: dict[str, list[ReportRow]] = defaultdict(list)
    for row in data["net"]:
        if row["peer"] is not None:
            found[row["game_id"]].append(row)
    silences = Counter(row["game_id"] for row in data["events"] if row["kind"] == "peer_suspected")
    waits: dict[str, list[float]] = defaultdict(list)
    for side in sides(data):
        waits[side["game"]].append(side["stalls"])
    rows = []
    for game_id, own in found.items():
        links = sorted({row["link"] or "unknown" for row in own})
        rows.append(
            {
                "game": game_id[:length],
                "scene": data.label(games[game_id]),
                "links": ", ".join(links),
                **_quality(own),
                "silences": silences[game_id],
                "stood still": max(waits[game_id[:length]], default=None),
            }
        )
    return sorted(rows, key=lambda row: (row["stood still"] or 0, row["95 %, ms"] or 0), reverse=True)


def _quality(rows: Sequence[ReportRow]) -> ReportRow:
    trips = [row["rtt_ms"] for row in rows if row["rtt_ms"] is not None]
    jitters = [row["jitter_ms"] for row in rows if row["jitter_ms"] is not None]
    losses = [row["loss"] for row in rows if row["loss"] is not None]
    return {
        "median, ms": median(trips) if trips else None,
        "95 %, ms": quantile(trips, 0.95) if trips else None,
        "jitter, ms": median(jitters) if jitters else None,
        "lost": Share(mean(losses)) if losses else None,
    }


def sides(data: ReportTables) -> list[ReportRow]:
    """Compute how smoothly each game ran on each player's side.

    `rollbacks` and `re-simulated` are counts per minute; `stalls` is the share of the time for which the
    picture stood still.
    """
    games = {game["game_id"]: game for game in data["games"]}
    length = unique_prefix_length(games)
    seconds: dict[tuple[str, int], dict[float, ReportRow]] = defaultdict(dict)
    for row in data["net"]:
        if row["ms"] is not None:
            # The counts are totals, repeated in the row of each link: take them once a second.
            seconds[row["game_id"], row["player_id"]][row["ms"]] = row
    rows = []
    for game_id, game in games.items():
        for player in range(len(game["seats"])):
            found = seconds.get((game_id, player))
            if not found:
                continue
            minutes = _span_ms(found) / 60_000
            counted = list(found.values())
            rows.append(
                {
                    "game": game_id[:length],
                    "player": f"player {player}",
                    "rollbacks": _total(counted, "rollbacks") / minutes,
                    "re-simulated": _total(counted, "resimulated_frames") / minutes,
                    "stalls": Share(
                        min(1.0, _total(counted, "stalled_frames") / (60 * minutes * game["fps"]))
                    ),
                }
            )
    return rows


def most_uneven(rows: Sequence[ReportRow], field: str, count: int) -> list[ReportRow]:
    """Return the rows of the `count` games whose sides differ most in a field, in the given order."""
    spread: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        spread[row["game"]].append(row[field])
    ranked = sorted(spread, key=lambda game: min(spread[game]) - max(spread[game]))
    chosen = set(ranked[:count])
    return [row for row in rows if row["game"] in chosen]


def side_by_side(rows: Sequence[ReportRow], field: str) -> list[ReportRow]:
    """Return one row for each game: a field of each player's side, and how unevenly it is distributed.

    One-sidedness is 0 if all sides have the same value, 1 if one side has everything.
    """
    by_game: dict[str, list[ReportRow]] = defaultdict(list)
    for row in rows:
        by_game[row["game"]].append(row)
    found = []
    for game, own in by_game.items():
        rates = [row[field] for row in own]
        share = max(rates) / sum(rates) if sum(rates) else None
        fair = 1 / len(rates)
        uneven = None if share is None or fair == 1 else (share - fair) / (1 - fair)
        found.append({"game": game, **{row["player"]: row[field] for row in own}, "one-sidedness": uneven})
    return found


def quantile(values: Iterable[float], part: float) -> float:
    """Return a quantile: the value below which a given share of the values lies.

    Args:
        values: At least one value.
        part: The share, 0 to 1.
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _span_ms(rows: Mapping[float, ReportRow]) -> float:
    times = sorted(rows)
    # Each row covers the second before it.
    return times[-1] - times[0] + 1000.0


def _total(rows: Sequence[ReportRow], name: str) -> float:
    return float(sum(row[name] or 0 for row in rows))
