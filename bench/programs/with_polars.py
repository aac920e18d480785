"""ADBC reads batches of Arrow, Polars writes each as lines of JSON: `with_polars.py URL FILE`."""

import sys

import adbc_driver_postgresql.dbapi
import polars

QUERY = (
    'select id::text "objectId", \'https://crm.example.com/deals/\' || id url, account_id::text "accountId",'
    ' owner_id::text "ownerId", name, created_at "createdDate", close_date "closeDate", state, stage, amount,'
    " currency, description, next_step, probability, region, is_renewal renewal, seats, source,"
    ' updated_at "modifiedDate" from deals'
)


def main(url: str, path: str) -> None:
    """Write the deals' lines."""
    names = polars.col("state")
    with (
        adbc_driver_postgresql.dbapi.connect(url) as connection,
        connection.cursor() as cursor,
        open(path, "wb") as out,
    ):
        cursor.execute(QUERY)
        for batch in cursor.fetch_record_batch():
            frame = polars.from_arrow(batch)
            frame.with_columns(
                status=names.replace_strict({"open": "OPEN", "won": "WON"}, default="LOST"),
                isOpen=names == "open",
                isWon=names == "won",
            ).drop("state").write_ndjson(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
