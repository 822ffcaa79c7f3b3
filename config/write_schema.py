"""Write config/schema.json, which editors read: ``python -m config.write_schema``."""

from pathlib import Path

from config.load import json_schema
from core.files import write_json

SCHEMA_FILE = Path(__file__).parent / "schema.json"

if __name__ == "__main__":
    write_json(SCHEMA_FILE, json_schema())
