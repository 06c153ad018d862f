"""Stories: which texts are copies of each other, and which articles belong together because of that.

hashing.py      the shingles of texts as 64-bit hashes (pure)
sketch.py       a text as shingles and as a small sketch; what two texts have in common (pure)
components.py   the stories that pairs of texts make up (pure)
passages.py     two texts sentence by sentence: what is shared, changed, new, left out (pure)
pairs.py        candidates by their sketches, and the pairs among them
follower.py     what has changed since pairs were last found, and the pairs of that
"""
