"""Orchard: its rules, determinism, the bots, the dilemma, and the picture."""

import importlib.util
import math
import random
import sys
import timeit
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from pettingzoo.test import parallel_api_test

from coplay.envs import check_environment, load_environment
from coplay.study import load_study, scenes
from coplay.study.canvas import CIRCLE, SOUND, Canvas

FOLDER = Path(__file__).parents[2] / "examples" / "orchard"
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))

import orchard_env as rules  # noqa: E402
from orchard_env import APPLE, DOWN, GLIDE, GROUND, LEFT, RIGHT, STAY, UP, Orchard  # noqa: E402

from orchard import HEIGHT, IDS, SKIN, WIDTH, draw  # noqa: E402


def module(name: str) -> ModuleType:
    """A module of the folder, which may share its name with one of another example."""
    spec = importlib.util.spec_from_file_location(f"orchard_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


bot = module("bot")
Policy = Callable[[Orchard, int], int]


def noise(seed: int) -> Policy:
    chance = random.Random(seed)
    held = [STAY] * 6

    def choose(env: Orchard, player: int) -> int:
        if chance.random() < 0.15:
            held[player] = chance.randrange(5)
        return held[player]

    return choose


def frames(env: Orchard, seed: int, policy: Policy) -> Iterator[dict[str, float]]:
    """Play an episode, frame by frame; gives the rewards."""
    env.reset(seed=seed)
    while env.agents:
        _, rewards, *_ = env.step({a: policy(env, p) for p, a in enumerate(env.possible_agents)})
        yield rewards


def meadow(*places: int) -> Orchard:
    """A game without apples, its players where they are wanted."""
    env = Orchard(n_players=len(places))
    env.reset(seed=1)
    for spot in rules.SPOTS:
        if env.field[spot] == APPLE:
            env._hang(spot, -1)
    env.place = list(places)
    env.came = list(places)
    return env


def play(env: Orchard, *actions: int, frames: int = 1) -> list[float]:
    """Give each player an action for some frames; returns what each gained."""
    gained = [0.0] * env.n_players
    for _ in range(frames):
        _, rewards, *_ = env.step(dict(zip(env.possible_agents, actions, strict=True)))
        gained = [a + b for a, b in zip(gained, rewards.values(), strict=True)]
    return gained


def cell(column: int, row: int) -> int:
    return row * rules.COLUMNS + column


# The rules


@pytest.mark.parametrize("n_players", [2, 3, 4, 5, 6])
def test_orchard_keeps_the_parallel_api(n_players: int) -> None:
    env = Orchard(n_players)
    assert env.possible_agents == [f"player_{player}" for player in range(n_players)]
    parallel_api_test(env, num_cycles=200)


@pytest.mark.parametrize("n_players", [1, 7])
def test_orchard_refuses_other_numbers_of_players(n_players: int) -> None:
    with pytest.raises(ValueError, match="2 to 6"):
        Orchard(n_players)


def test_episode_ends_by_truncation_at_max_cycles() -> None:
    env = Orchard(n_players=2, max_cycles=7)
    env.reset(seed=1)
    for frame in range(1, 8):
        _, _, terminations, truncations, _ = env.step({"player_0": STAY, "player_1": STAY})
        assert set(terminations.values()) == {False}
        assert set(truncations.values()) == {frame == 7}
    assert env.agents == []


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_places_hold_together_whatever_is_played(seed: int) -> None:
    env, picked, most = Orchard(n_players=6), 0.0, 0
    for rewards in frames(env, seed, noise(seed)):
        picked += sum(rewards.values())
        most = max(most, env.apples)
        assert len(set(env.place)) == 6
        assert all(env.field[place] != rules.TREE for place in env.place)
        if env.frame % 60 == 0:
            hanging = {spot for spot in rules.SPOTS if env.field[spot] == APPLE}
            assert env.apples == len(hanging) == env.field.count(APPLE)
            assert all(env.near[spot] == len(hanging.intersection(rules.NEARBY[spot])) for spot in hanging)
    assert picked == sum(env.score) > 20
    assert most <= len(rules.SPOTS) == 120


@pytest.mark.parametrize("action", [UP, DOWN, LEFT, RIGHT])
def test_apple_is_picked_on_arrival_and_pays_one(action: int) -> None:
    start = cell(7, 7)
    env = meadow(start, cell(0, 0))
    env._hang(rules.NEXT[start][action], 1)
    assert play(env, action, STAY, frames=GLIDE - 1) == [0.0, 0.0]
    assert play(env, STAY, STAY) == [1.0, 0.0]
    assert env.score == [1, 0]
    assert env.apples == 0


def test_held_direction_walks_a_cell_in_each_glide() -> None:
    env = meadow(cell(2, 6), cell(0, 0))
    play(env, RIGHT, STAY, frames=4 * GLIDE)
    assert env.place[0] == cell(6, 6)
    assert env.walking[0] == 0


def test_stroke_while_walking_is_remembered_and_a_held_key_is_not() -> None:
    env = meadow(cell(2, 6), cell(0, 0))
    play(env, RIGHT, STAY, frames=GLIDE - 2)  # one key, down for less than a cell
    play(env, STAY, STAY, frames=20)
    assert env.place[0] == cell(3, 6)
    play(env, RIGHT, STAY)
    play(env, DOWN, STAY)  # a corner, struck early
    play(env, STAY, STAY, frames=20)
    assert env.place[0] == cell(4, 7)


def test_trees_edges_and_players_are_in_the_way() -> None:
    tree = rules.TREES[0]
    env = meadow(tree - 1, tree - 2)
    play(env, RIGHT, RIGHT, frames=3 * GLIDE)
    assert env.place == [tree - 1, tree - 2]
    env = meadow(cell(0, 0), cell(21, 13))
    play(env, UP, DOWN, frames=GLIDE)
    play(env, LEFT, RIGHT, frames=GLIDE)
    assert env.place == [cell(0, 0), cell(21, 13)]


def test_two_who_want_one_cell_get_it_equally_often() -> None:
    first = 0
    for frame in range(20):
        env = meadow(cell(6, 6), cell(8, 6))
        env.frame = frame
        play(env, RIGHT, LEFT)
        assert sorted(env.place) in ([cell(6, 6), cell(7, 6)], [cell(7, 6), cell(8, 6)])
        first += env.place[0] == cell(7, 6)
    assert first == 10


def test_one_may_follow_into_a_cell_that_another_leaves() -> None:
    env = meadow(cell(6, 6), cell(7, 6))
    play(env, RIGHT, RIGHT, frames=3 * GLIDE)
    assert env.place[1] == cell(10, 6)
    assert env.place[0] >= cell(8, 6)


# Growing


def test_nothing_grows_where_nothing_hangs_nearby() -> None:
    env = meadow(cell(0, 0), cell(1, 0))
    for spot in rules.SPOTS_OF[rules.TREES[0]]:
        env._hang(spot, 1)
    for _ in range(2000):
        env._grow()
    assert env.apples == 20
    assert not any(
        env.field[spot] == APPLE for spot in rules.SPOTS if spot not in rules.SPOTS_OF[rules.TREES[0]]
    )


@pytest.mark.parametrize("hanging", [1, 3, 6])
def test_apples_grow_with_a_chance_that_rises_with_the_apples_nearby(hanging: int) -> None:
    spot = rules.TREES[0] - 1
    env = meadow(cell(0, 0), cell(1, 0))
    for other in [near for near in rules.NEARBY[spot] if near in rules.SPOTS][:hanging]:
        env._hang(other, 1)
    kept, kept_near = bytes(env.field), bytes(env.near)
    turns, grown = 240_000, 0
    for _ in range(turns):
        env._grow()
        if env.field != kept:
            grown += env.field[spot] == APPLE
            env.field[:], env.near[:] = kept, kept_near
    expected = turns / len(rules.SPOTS) * hanging / rules.FULL
    assert abs(grown - expected) < 5 * math.sqrt(expected)


def test_no_apple_grows_under_a_player() -> None:
    spot = rules.TREES[0] - 1
    env = meadow(spot, cell(0, 0))
    for other in rules.SPOTS_OF[rules.TREES[0]]:
        if other != spot:
            env._hang(other, 1)
    for _ in range(3000):
        env._grow()
    assert env.field[spot] == GROUND
    env.place[0] = cell(0, 1)
    for _ in range(3000):
        env._grow()
    assert env.field[spot] == APPLE


def test_both_rows_of_trees_are_alike() -> None:
    last = rules.COLUMNS * rules.ROWS - 1
    assert {last - tree for tree in rules.TREES} == set(rules.TREES)
    assert {last - spot for spot in rules.SPOTS} == set(rules.SPOTS)


# What is observed, and determinism


def test_players_observe_the_orchard_from_their_own_seat() -> None:
    env = Orchard(n_players=3)
    observations, _ = env.reset(seed=4)
    for player, (agent, seen) in enumerate(observations.items()):
        assert env.observation_space(agent).contains(seen)
        assert [int(n) for n in seen.flat].index(rules.SELF) == env.place[player]
        assert (seen == rules.OTHER).sum() == 2
        assert (seen == APPLE).sum() == env.apples == 90
        assert (seen == rules.TREE).sum() == 6


def test_same_seed_and_actions_give_the_same_game() -> None:
    def game(seed: int) -> list[object]:
        env = Orchard(n_players=4, max_cycles=400)
        return [(bytes(env.field), list(env.place), env.chance) for _ in frames(env, seed, noise(1))]

    assert game(3) == game(3)
    assert game(3) != game(4)


def test_orchard_rolls_back_exactly() -> None:
    report = check_environment(load_environment(Orchard), frames=150)
    assert report.deterministic, report.first_difference


def test_step_takes_well_under_a_hundred_and_fifty_microseconds() -> None:
    env = Orchard(n_players=6, max_cycles=10**6)
    env.reset(seed=1)
    hands = [{a: (p + n) % 5 for p, a in enumerate(env.agents)} for n in range(5)]
    seconds = min(timeit.repeat(lambda: [env.step(hand) for hand in hands], number=60, repeat=5)) / 300
    assert seconds < 150e-6


# The bots


def total(policy: Policy, seed: int) -> int:
    env = Orchard(max_cycles=1800)
    for _ in frames(env, seed, policy):
        pass
    return sum(env.score)


@pytest.mark.parametrize("policy", [bot.pick, bot.grab])
def test_bot_collects_apples_by_a_shortest_way(policy: Policy) -> None:
    env = Orchard(n_players=2, max_cycles=300)
    gained = [sum(rewards.values()) for rewards in frames(env, 1, policy)]
    assert sum(gained) > 50
    assert min(env.score) > 15


def test_bot_walks_around_a_tree_and_a_player() -> None:
    tree = rules.TREES[0]
    env = meadow(tree - 1, tree - 1 - rules.COLUMNS)
    env._hang(tree + 1, 1)
    gained = 0.0
    for _ in range(6 * GLIDE):
        gained += play(env, bot.grab(env, 0), STAY)[0]
    assert gained == 1.0


def test_bot_spares_what_the_orchard_grows_back_from() -> None:
    tree = rules.TREES[0]
    env = meadow(cell(0, 6), cell(21, 6))
    env._hang(tree - 1, 1)
    env._hang(tree - 2, 1)
    assert bot.pick(env, 0) == STAY
    assert bot.grab(env, 0) != STAY


def test_bot_decides_from_the_state_alone_and_leaves_it_alone() -> None:
    env = Orchard()
    for _ in frames(env, 2, noise(5)):
        before = (bytes(env.field), bytes(env.near), list(env.place), list(env.held), env.chance)
        assert bot.pick(env, 1) == bot.pick(env, 1)
        assert before == (bytes(env.field), bytes(env.near), list(env.place), list(env.held), env.chance)
        if env.frame == 200:
            return


def test_who_leaves_some_apples_has_more_in_the_end() -> None:
    def patient(env: Orchard, player: int) -> int:
        return int(bot.pick(env, player, spared=6))

    greedy, sparing, waiting = (total(policy, seed=3) for policy in (bot.grab, bot.pick, patient))
    assert 1.3 * greedy < sparing
    assert 2 * greedy < waiting


# The picture


@pytest.mark.parametrize("n_players", [2, 4, 6])
def test_every_frame_can_be_drawn(n_players: int) -> None:
    canvas, strings = Canvas(), 0
    canvas.player_id = n_players - 1
    env = Orchard(n_players, max_cycles=600)
    for _ in frames(env, 7, bot.grab):
        canvas.begin()
        draw(env, canvas)
        ops = canvas.ops()
        assert all(map(math.isfinite, ops))
        assert len(ops) < 5500
        strings += len(canvas.new_strings())
    assert canvas.size == (WIDTH, HEIGHT)
    assert strings < 250


def words(env: Orchard, seat: int) -> set[str]:
    canvas = Canvas()
    canvas.player_id = seat
    draw(env, canvas)
    return set(canvas.new_strings())


@pytest.mark.parametrize("seat", [0, 2])
def test_only_ones_own_picker_has_a_ring(seat: int) -> None:
    env = Orchard(n_players=3)
    env.reset(seed=1)
    shown = words(env, seat)
    assert {player for player in range(6) if IDS[player]["ring"] in shown} == {seat}
    assert {player for player in range(6) if IDS[player]["body"] in shown} == {0, 1, 2}


def test_picture_shows_scores_time_and_a_picked_apple() -> None:
    env = meadow(cell(7, 7), cell(0, 0))
    env.score = [37, 41]
    env._hang(cell(8, 7), 1)
    assert {"37", "41", "1:30"} <= words(env, 0)
    assert "+1" not in words(env, 0)
    play(env, RIGHT, STAY, frames=GLIDE)
    assert {"38", "41", "+1"} <= words(env, 0)


def test_new_apple_is_drawn_small_and_grows() -> None:
    def largest_skin(env: Orchard) -> float:
        canvas = Canvas()
        draw(env, canvas)
        color, ops = canvas.new_strings().index(SKIN), list(canvas.ops())
        return max(ops[n + 4] for n in range(len(ops) - 5) if ops[n] == CIRCLE and ops[n + 5] == color)

    env = meadow(cell(0, 0), cell(1, 0))
    env._hang(rules.SPOTS[0], 1)
    assert largest_skin(env) == 10.0
    env.buds[0] = 0  # as if it had grown in this frame
    shown = [largest_skin(env)]
    for _ in range(rules.BUDS):
        env.near[:] = bytes(len(env.near))  # nothing else grows
        play(env, STAY, STAY)
        shown.append(largest_skin(env))
    assert shown == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10])


def test_only_ones_own_apples_are_heard() -> None:
    def heard(seat: int) -> int:
        env, canvas = meadow(cell(7, 7), cell(0, 0)), Canvas()
        canvas.player_id = seat
        env._hang(cell(8, 7), 1)
        sounds = 0
        for _ in range(3 * GLIDE):
            play(env, RIGHT, STAY)
            canvas.begin()
            draw(env, canvas)
            sounds += list(canvas.ops())[-3:-1] == [SOUND, -1]
        return sounds

    assert heard(0) == 1
    assert heard(1) == 0


def test_pickers_are_drawn_on_their_way_from_cell_to_cell() -> None:
    def at(env: Orchard) -> float:
        canvas = Canvas()
        draw(env, canvas)
        table, ops = canvas.new_strings(), list(canvas.ops())
        return next(
            ops[n + 2]
            for n in range(len(ops) - 4)
            if ops[n : n + 2] == [CIRCLE, table.index(IDS[0]["body"])] and ops[n + 4] == pytest.approx(16.2)
        )

    env = meadow(cell(7, 7), cell(0, 0))
    shown = [at(env)]
    for _ in range(GLIDE):
        play(env, RIGHT, STAY)
        shown.append(at(env))
    assert [after - before for before, after in pairwise(shown)] == pytest.approx([8] * GLIDE)


# The studies


@pytest.mark.parametrize(
    ("name", "people", "leaving"), [("study", 4, "bot"), ("trio", 3, "default"), ("pair", 2, "end")]
)
def test_study_has_its_seats(name: str, people: int, leaving: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Volley has a bot.py too; whichever is imported first stays.
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setitem(sys.modules, "bot", bot)
    study = load_study(FOLDER / f"{name}.py")
    lobby = next(scene for scene in study.scenes if isinstance(scene, scenes.Lobby))
    game = next(scene for scene in study.scenes if isinstance(scene, scenes.Play))
    env = game.env()
    assert lobby.size == people == env.n_players
    assert game.when_someone_leaves == leaving
    assert game.substitute is (bot.pick if leaving == "bot" else None)
    assert isinstance(study.scenes[-1], scenes.Finish)
    assert len((FOLDER / f"{name}.py").read_text("utf-8").splitlines()) < 60
    action = game.keys_for(0).action
    held = [[], ["ArrowUp"], ["s"], ["ArrowLeft"], ["d"], ["ArrowLeft", "ArrowUp"]]
    assert [action(keys) for keys in held] == [STAY, UP, DOWN, LEFT, RIGHT, UP]
