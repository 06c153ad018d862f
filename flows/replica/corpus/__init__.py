"""The articles of the replica, reproducible by seed.

articles.py      the corpus: the articles with their versions
plan.py          which article is published when, edited, copied and deleted
writing.py       its text
text.py          Korean sentences
subjects.py      the vocabulary (subjects.yaml)
press.py         the fictitious press offices
"""
