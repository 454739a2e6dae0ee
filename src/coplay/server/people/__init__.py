"""Participants: who they are, where they are in the study, and what their pages show."""
