"""Files that the site gives away: the same content has the same bytes, so that a build that changes nothing changes no file."""

from __future__ import annotations

import time

import pages


def test_the_deck_does_not_depend_on_when_it_was_made():
    first = pages.deck()
    time.sleep(2.1)  # an archive's clock ticks every two seconds
    assert pages.deck() == first
