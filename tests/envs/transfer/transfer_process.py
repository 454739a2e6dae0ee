"""A fresh process that receives a state, plays on and prints checksums: `transfer_process.py SPEC FRAMES`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "envs" / "samples"), str(ROOT / "examples" / "volley")]


def main() -> None:
    from tests.envs.playing import inputs_for, make_game

    spec, frames = sys.argv[1], int(sys.argv[2])
    game = make_game(spec)
    game.import_state(sys.stdin.buffer.read())
    print(game.checksum())
    for chosen in inputs_for(game, game.frame + frames)[game.frame :]:
        game.step(chosen)
        print(game.checksum())


if __name__ == "__main__":
    main()
