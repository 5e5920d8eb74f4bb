"""What face search is compared with, each on one thread: databases with vectors, libraries, and reading the bytes once.

Each takes the rows, (n, 128) float32 of length 1, and names the places of the nearest. `by`: why it is one thread. It
is given the fastest exact way it has: for vectors of length 1 that is the inner product, where there is one.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np

from fv.db import sqlite

AT_ONCE = 10_000  # rows that are written at once


class Peer:
    """`name`: of the row of the table. `is_search` false: it only reads the bytes."""

    name, by, is_search = "", "", True

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        raise NotImplementedError

    def cpu(self) -> float:
        """CPU seconds so far of other processes that work for it."""
        return 0.0

    def close(self) -> None:
        """Give back what it holds."""


# ── Databases ────────────────────────────────────────────────────────────────────────────────────────────────


class Vec0(Peer):
    name, by = "sqlite-vec `vec0`, cosine", "SQLite has no other"
    settings: tuple[str, ...] = ()

    def __init__(self, rows: np.ndarray, folder: Path) -> None:
        path = folder / "vec0.db"
        is_new = not path.exists()
        self._db = sqlite.driver.connect(path, isolation_level=None)
        self._db.enable_load_extension(True)
        sqlite.sqlite_vec.load(self._db)
        for setting in self.settings:
            self._db.execute(setting)
        if is_new:
            self._db.execute("CREATE VIRTUAL TABLE v USING vec0(embedding float[128] distance_metric=cosine)")
            self._db.execute("BEGIN")
            packed = ((place, row.tobytes()) for place, row in enumerate(rows))
            self._db.executemany("INSERT INTO v (rowid, embedding) VALUES (?, ?)", packed)
            self._db.execute("COMMIT")

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        sql = "SELECT rowid FROM v WHERE embedding MATCH ? AND k = ? ORDER BY distance"
        return [place for (place,) in self._db.execute(sql, (query.tobytes(), most))]

    def close(self) -> None:
        self._db.close()


class MappedVec0(Vec0):
    name = "the same with `mmap_size` 2 GiB"
    settings = ("PRAGMA mmap_size = 2147483648",)


class Duck(Peer):
    name, by = "DuckDB, `array_inner_product`", "`SET threads = 1`"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        import duckdb

        self._db = duckdb.connect()
        self._db.execute("SET threads = 1")
        self._db.execute("CREATE TABLE v (place INTEGER, vector FLOAT[128])")
        for start in range(0, len(rows), 10 * AT_ONCE):
            columns = np.ascontiguousarray(rows[start : start + 10 * AT_ONCE].T)
            self._db.register("part", {f"n{number}": column for number, column in enumerate(columns)})
            listed = ", ".join(f"n{number}" for number in range(128))
            self._db.execute(
                f"INSERT INTO v SELECT {start} + row_number() OVER () - 1, array_value({listed})::FLOAT[128] FROM part"
            )
            self._db.unregister("part")

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        sql = "SELECT place FROM v ORDER BY array_inner_product(vector, (SELECT $1::FLOAT[128])) DESC LIMIT $2"
        return [place for (place,) in self._db.execute(sql, [query.tolist(), most]).fetchall()]

    def close(self) -> None:
        self._db.close()


class PgVector(Peer):
    name, by = "PostgreSQL with pgvector, `<#>`", "`max_parallel_workers_per_gather = 0`"
    HEAD, ROW, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), struct.Struct(">hiiihh"), b"\xff\xff"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:
        import pgserver
        import psycopg

        self._server = pgserver.get_server(folder / "postgres")
        self._server.psql("CREATE EXTENSION vector")
        self._server.psql("ALTER SYSTEM SET shared_buffers = '2GB'")
        self._server.cleanup()
        self._server = pgserver.get_server(folder / "postgres")  # with room for all of it
        self._db = psycopg.connect(self._server.get_uri(), autocommit=True)
        self._db.execute("SET max_parallel_workers_per_gather = 0")
        self._db.execute("SET jit = off")  # compiling takes longer than it saves
        self._db.execute("CREATE UNLOGGED TABLE v (place integer, vector vector(128))")
        with self._db.cursor().copy("COPY v FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(self.HEAD)
            for start in range(0, len(rows), AT_ONCE):
                part = rows[start : start + AT_ONCE].astype(">f4")
                heads = (self.ROW.pack(2, 4, start + number, 516, 128, 0) for number in range(len(part)))
                copy.write(b"".join(head + row.tobytes() for head, row in zip(heads, part, strict=True)))
            copy.write(self.END)
        self._db.execute("VACUUM ANALYZE v")
        self._used = Path(f"/proc/{self._db.info.backend_pid}/schedstat")

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        sql = "SELECT place FROM v ORDER BY vector <#> %s::vector LIMIT %s"
        return [place for (place,) in self._db.execute(sql, (str(query.tolist()), most), prepare=True)]

    def cpu(self) -> float:
        return int(self._used.read_text().split()[0]) / 1e9  # of the process that serves this connection

    def close(self) -> None:
        self._db.close()
        self._server.cleanup()


# ── Libraries ────────────────────────────────────────────────────────────────────────────────────────────────


class Numpy(Peer):
    name, by = "numpy, float32, `argpartition`", "`OPENBLAS_NUM_THREADS=1`"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        self._rows = rows

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        cosines = self._rows @ query
        places = np.argpartition(cosines, -most)[-most:]
        return places[np.argsort(-cosines[places])].tolist()


class Faiss(Peer):
    name, by = "FAISS `IndexFlatIP`", "`faiss.omp_set_num_threads(1)`"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        self._index = faiss.IndexFlatIP(128)
        self._index.add(rows)

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        return self.many(query[None], most)[0].tolist()

    def many(self, queries: np.ndarray, most: int) -> np.ndarray:
        faiss.omp_set_num_threads(1)
        return self._index.search(queries, most)[1]

    def close(self) -> None:
        self._index.reset()


class USearch(Peer):
    name, by = "usearch, exact", "`threads=1`"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        from usearch.index import MetricKind, search

        self._rows, self._search, self._metric = rows, search, MetricKind.IP

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        return self._search(self._rows, query, most, self._metric, exact=True, threads=1).keys.tolist()


class Hnsw(Peer):
    """The only one that is not exact: M = 16, 100 looked at while building and while searching."""

    name, by = "hnswlib, M 16, ef 100 (not exact)", "`set_num_threads(1)`"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        import hnswlib

        self._index = hnswlib.Index("ip", 128)
        self._index.init_index(len(rows), M=16, ef_construction=100)
        self._index.add_items(rows, num_threads=2)  # only building
        self._index.set_num_threads(1)
        self._index.set_ef(100)

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:
        return self._index.knn_query(query, most, num_threads=1)[0][0].tolist()


# ── Floors ───────────────────────────────────────────────────────────────────────────────────────────────────


class Read(Peer):
    """Nothing that compares can be faster than a look at each byte."""

    name, by, is_search = "reading the float32 once (`max`)", "numpy has no other", False

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        self._rows = rows.reshape(-1)

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:  # noqa: ARG002
        self._rows.max()
        return []


class ReadCodes(Read):
    name = "reading the int8 once (`bitwise_or`)"

    def __init__(self, rows: np.ndarray, folder: Path) -> None:  # noqa: ARG002
        self._rows = np.rint(rows * 127).astype(np.int8).reshape(-1).view(np.uint64)

    def nearest(self, query: np.ndarray, most: int) -> Sequence[int]:  # noqa: ARG002
        np.bitwise_or.reduce(self._rows)
        return []


FLOORS = (Read, ReadCodes)
EVERY = (Vec0, MappedVec0, Duck, PgVector, Numpy, Faiss, USearch, Hnsw, *FLOORS)
AT_FIVE_MILLION = (Numpy, Faiss, *FLOORS)
