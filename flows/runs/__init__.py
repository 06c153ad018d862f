"""What can be run, as plain functions: an order in, a receipt or a result out. The only room that writes to an archive.

The command line calls these functions as they are, and the Prefect flows wrap them, so both give the same receipt.

crawl.py          the sources, from where the last run stopped
fetch.py          addresses, without an archive: for its writer
take_in.py        what fetchers have fetched
refresh.py        known articles that are due to be checked again
backfill.py       days of the past, window by window, and gaps
quarantine.py     pages in quarantine, parsed again from their captures
import_files.py   files of an older archive
reparse.py        every text, derived again from its capture
reassess.py       every text, assessed again by the topic file
move_captures.py  the captures, to an object store or back
publish.py        the readers' database and the exports, brought up to date
lifecycle.py      how each run begins and ends
pipeline_run.py   what the runs share whose finds go through the pipeline: crawl, refresh, backfill, quarantine
polite_client.py  the HTTP client of runs and fetchers
search_index.py   the search index, updated after a run
exit_reason.py    why a run ended, from its receipt
doctor/           everything that a run needs, checked without a run
settings.py       the topic and the stand-in for Naver, from options and environment
"""
