"""Games to be played by these tests, the same in every process."""

import random

from coplay.envs import Game, load_environment


def make_game(spec, **options):
    arguments = {"seed": 7, "episodes": 4, "max_frames": 80, "countdown_frames": 2, "pause_frames": 3}
    game = Game(load_environment(spec), **arguments | options)
    game.start()
    return game


def inputs_for(game, frames, seed=1):
    source = random.Random(seed)
    codecs = game.environment.codecs
    return [tuple(codec.sample(source) for codec in codecs) for _ in range(frames)]


def play(game, inputs):
    checksums = [game.checksum()]
    for chosen in inputs:
        game.step(chosen)
        checksums.append(game.checksum())
    return checksums
