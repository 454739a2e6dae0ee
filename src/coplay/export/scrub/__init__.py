"""A game frame by frame, in a page: what each player saw then, and what became true.

`hindsight` finds out what was shown by guesses, `collecting` draws it in a replay, `serving` shows it.
"""
