"""One game's data: its log, the peers' copies and reports, and the verdict."""
