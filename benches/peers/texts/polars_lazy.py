"""polars_lazy.py IN OUT: lazy and streaming; POLARS_MAX_THREADS says how many threads."""
import sys

import polars as pl


def turn(role: str, content: pl.Expr) -> pl.Expr:
    return pl.struct(pl.lit(role).alias("role"), content.alias("content"))


text = pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars().str.to_lowercase()
(
    pl.scan_ndjson(sys.argv[1], schema={"text": pl.String, "topic": pl.String})
    .with_columns(text)
    .filter(pl.col("text").str.len_chars() >= 20)
    .unique(subset="text", keep="first", maintain_order=True)
    .select(messages=pl.concat_list(turn("user", pl.col("text")), turn("assistant", pl.col("topic"))))
    .sink_ndjson(sys.argv[2], engine="streaming")
)
