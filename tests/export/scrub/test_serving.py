"""The scrubber's page and files are served, to this machine alone."""

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from tests.lacking import NO_PAGES, do_without

GAME = "0123456789abcdef0123"


def test_page_and_game_are_served_to_this_machine_alone(data, tmp_path):
    words = [sys.executable, "-W", "error", "-m", "coplay", "scrub", GAME, "--data", str(data), "--no-open"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            said = process.communicate()[1]
            if "not built" in said:
                do_without(NO_PAGES)
            pytest.fail(said)
        address = line.split()[-1]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address) as answer:
            assert b"scrub" in answer.read()
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        with urllib.request.urlopen(address + "/game/game.json") as answer:
            assert json.load(answer)["game_id"] == GAME
        for path in ("/game/..%2f..%2fetc%2fpasswd", "/game/secret", "/assets/..%2fx"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(address + path)
    finally:
        process.kill()
        process.communicate()
