"""The checks that send requests to Naver: about a dozen, at the topic's pace, as robots.txt allows.

checks.py   all of them, in order
robots.py   robots.txt of each host
clock.py    the clock, compared with the servers and with the last run
keys.py     the Search API's keys, one request each
sources.py  the first page of a source, through its parser
article.py  one article, through its parser
faults.py   why a request was not answered, in words
"""
