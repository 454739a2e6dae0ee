"""A participant's browser connects only to the study's server and to its peers."""

from collections.abc import Callable
from urllib.parse import urlsplit

from playtest import Chromium, Servers, finish, meet


def test_page_requests_only_its_own_origin_during_a_whole_study(
    chromium: Callable[..., Chromium], servers: Servers, participants: list[Chromium]
) -> None:
    server = servers.serve("volley/study.py", max_frames=120, countdown=0)
    ada, bob = chromium("ada"), chromium("bob")
    meet(ada, bob, server.url)
    finish(ada, bob)
    for participant in (ada, bob):
        assert participant.problems == []
        assert participant.policy_violations() == []
        participant.close()
        participants.remove(participant)
        asked = [*participant.requests, *participant.page_requests_on_the_wire()]
        # The page, its parts, the runtime, the bundle, the uploads, the socket.
        assert len(set(asked)) > 10
        strangers = {url for url in asked if urlsplit(url).netloc not in ("", f"127.0.0.1:{server.port}")}
        assert strangers == set()
