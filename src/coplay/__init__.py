"""Real-time multiplayer experiments from Gymnasium and PettingZoo environments."""
