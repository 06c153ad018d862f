"""Where the tests find things: the checkout, their data, and the captured material beside the project."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ROOT / "topics"
DEMO_TOPIC = TOPICS / "demo.yaml"
DATA = ROOT / "tests" / "data"
GOLDEN = DATA / "golden"

SHARED = ROOT.parent / "shared"
"""Third-party pages and documents, not part of the project: tests that read them skip where they are absent."""
CAPTURES = SHARED / "captures"
SEEDS = SHARED / "seeds"
