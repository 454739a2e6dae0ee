"""The scrubber: a page that shows a game frame by frame, as each player saw it and as it turned out.

`mispredictions` finds the screens that showed wrong guesses, `scrub_files` draws them in a replay, and
`serving` serves the page.
"""
