"""Write config/schema.json, which editors read: ``python -m cinelex.config.write_schema``."""

from pathlib import Path

from cinelex.config.load import json_schema
from cinelex.core.files import write_json

SCHEMA_FILE = Path(__file__).parent / "schema.json"

if __name__ == "__main__":
    write_json(SCHEMA_FILE, json_schema())
