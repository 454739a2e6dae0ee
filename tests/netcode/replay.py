"""Replays a saved scenario: `python -m tests.netcode.replay FILE [--events]`."""

import argparse
from pathlib import Path

from tests.netcode.simulation.checking import check
from tests.netcode.simulation.playing import PATIENCE_S, stage
from tests.netcode.simulation.scenario import Scenario


def main() -> None:
    """Play one scenario and print its outcome."""
    parser = argparse.ArgumentParser(prog="python -m tests.netcode.replay", description=__doc__)
    parser.add_argument("file", type=Path, help="a scenario, as JSON")
    parser.add_argument("--events", action="store_true", help="list the events of every session")
    arguments = parser.parse_args()
    scenario = Scenario.from_json(arguments.file.read_text(encoding="utf-8"))
    print(
        f"{scenario.kind}: {scenario.peers} peers, {len(scenario.owners)} players, {scenario.frames} frames"
    )
    for fault in scenario.faults:
        print(f"    {fault}")
    game = stage(scenario)
    try:
        game.run(until=PATIENCE_S)
        check(scenario, game)
        print("It holds.")
    finally:
        print(f"After {game.network.now:.2f} s:")
        for number, peer in sorted(game.peers.items()):
            session, stats = peer.session, peer.session.stats
            state = "dead" if number in game.network.dead else session.phase
            print(
                f"    peer {number}: {state}, frame {stats.frame}, confirmed {stats.confirmed_frame}, "
                f"published {stats.published_frame}, {stats.rollbacks} rollbacks, "
                f"{stats.stalled_frames} stalled, {stats.rejected} rejected"
            )
            if number in game.verdicts():
                verdict = game.verdicts()[number]
                print(f"        {verdict.verdict} after frame {verdict.last_frame}: {verdict.reason}")
            if arguments.events:
                for event in peer.events:
                    print(f"        {event}")


if __name__ == "__main__":
    main()
