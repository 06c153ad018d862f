"""What pages and programs show, read from a snapshot.

overview.py     what the first page and the status page show
subjects.py     what is written: everything, of a team, by a publisher or a reporter
following.py    which publisher follows which
rising.py       words that are more frequent than before
stories.py      stories, where the archive has them
charts.py       the geometry of the charts, which are SVG
table_chart.py  a chart of any table, for /sql
"""
