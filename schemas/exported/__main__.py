"""Write the JSON Schemas of the exported records: `python -m schemas.exported`."""

from schemas.exported.records import write_schemas

write_schemas()
