"""The archive's own state beside database and captures: small files below `state/`.

json_file.py       a JSON file: read with a check of what it holds, replaced whole
last_verify.py     when the archive was verified last, and what came of it
"""
