"""Paths: the checkout, the test data, and the captured pages outside the project."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ROOT / "topics"
DEMO_TOPIC = TOPICS / "demo.yaml"
DATA = ROOT / "tests" / "data"
GOLDEN = DATA / "golden"

SHARED = ROOT.parent / "shared"
"""Third-party pages and documents, not part of the project. Tests that read them are skipped if they are missing."""
CAPTURES = SHARED / "captures"
SEEDS = SHARED / "seeds"
