"""Writes the JSON Schema of the mapping file to the standard output, for config/mapping.schema.json."""

import json
import sys

from connector.mapping.json_schema import json_schema

if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
