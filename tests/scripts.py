"""Texts in many scripts, made of what is easily torn: joiners, marks, flags, jamo, characters of four bytes, both directions."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from scale import scale

CLUSTERS = [
    "a",
    "word",
    "Word2",
    " ",
    "  ",
    ", ",
    ".",
    "\n",
    "\n\n",
    "\t",
    "é",
    "e\u0301",
    "n\u0303\u0323",
    "ß",
    "привет",
    "й",
    "שלום",
    "שָׁ",
    "مرحبا",
    "لَا",
    "日",
    "本語",
    "か\u3099",
    "𠮷",
    "한국",
    "\u1112\u1161\u11ab",
    "क्ष",
    "सं",
    "สำ",
    "ก็",
    "😀",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "🇩🇪",
    "🇫🇷",
    "1️⃣",
    "❤️",
    "\u200f",
]
PIECES = ["\u0301", "\u200d", "\ufe0f", "\u200c", "🇩", "🏽", "\u1161", "\u11ab", "\u094d", "\ufeff", "\U0010ffff", "\x0b", "\u2028"]

texts = st.lists(st.sampled_from(CLUSTERS + PIECES), max_size=40).map("".join)
"""Whole clusters and pieces of clusters, so that an edit may join or part them."""
whole_clusters = st.lists(st.sampled_from(CLUSTERS), max_size=40)

steady = settings(derandomize=True, deadline=None, database=None, max_examples=scale(150, 3_000), suppress_health_check=list(HealthCheck))
"""The same examples in every run."""
