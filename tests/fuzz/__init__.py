"""What the fuzzers share: mutations of good documents, and the parsers with what must hold of them."""
