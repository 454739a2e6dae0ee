"""Replays of recorded games: observations, and screens for films."""
