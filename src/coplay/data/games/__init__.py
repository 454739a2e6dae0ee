"""The data of one game: its input log, the peers' copies and reports, and the verdict."""
