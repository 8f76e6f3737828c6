"""How a peer is written."""

import pytest

from MotionQALib.dimse.peers import Peer, PeerError


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("PACS@10.0.0.5:104", Peer("PACS", "10.0.0.5", 104)),
        ("MY PACS@[::1]:11112", Peer("MY PACS", "::1", 11112)),
    ],
)
def test_peers_are_written_as_usual(text, peer):
    assert Peer.parse(text) == peer
    assert str(peer) == text


@pytest.mark.parametrize(
    "text",
    ["PACS", "PACS@host", "@host:104", "PACS@:104", "PACS@h:0", "PACS@h:x", "A" * 17 + "@h:1"],
)
def test_what_is_no_peer_is_said(text):
    with pytest.raises(PeerError):
        Peer.parse(text)
