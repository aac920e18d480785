"""dlt's `sql_table` into files of its `filesystem` destination: `with_dlt.py URL DIRECTORY BACKEND`."""

import sys

import dlt
from dlt.sources.sql_database import sql_table


def main(url: str, directory: str, backend: str) -> None:
    """Load the table `deals`; with backends of Arrow, dlt's own choice of file is Parquet."""
    pipeline = dlt.pipeline(
        "deals",
        destination=dlt.destinations.filesystem(f"file://{directory}/files"),
        dataset_name="crm",
        pipelines_dir=f"{directory}/pipelines",
    )
    table = sql_table(credentials=url, table="deals", backend=backend, chunk_size=50_000)
    print(pipeline.run(table, write_disposition="replace"))


if __name__ == "__main__":
    main(*sys.argv[1:])
