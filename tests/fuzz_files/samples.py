"""Whole files of each format, of many kinds, and the ways in which they are broken."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

ROWS = 40
#: What is written over a part of a file: ends of integers, and what means something to a reader.
WORDS = [
    *(n.to_bytes(size, "little") for size in (1, 2, 4, 8) for n in (0, 1, 1 << (8 * size - 1))),
    *(b"\xff" * size for size in (1, 2, 4, 8)),
    *(f"({shape}), ".encode() for shape in (10**20, -1, 0, "2**63", "1e9", "3, 0", "'a'", "")),
    *(f"'{dtype}'".encode() for dtype in ("|O", "<f16", ">f8", "|S0", "<U9", "<M8[ns]", "|V8", "<f3", "<i8")),
    *b'True None { } # \\ \n \r \0 , ,,, " "" nan -inf 1e400 -0 0x10 1_000 true NA a b'.split(b" "),
    *(b"\xe9", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04", b"PAR1", b"\x93NUMPY\x02\x00", b"\x1f\x8b"),
    *(b"(" * 300, b"9" * 400, b" ", "é".encode()),
]


def _npy() -> list[bytes]:
    files = []
    for dtype in ("<f8", ">f8", "<f4", "<f2", "|i1", "<i8", ">u2", "|b1", "<u8"):
        for shape in ((ROWS,), (ROWS, 3), (0,), (4, 2, 5)):
            for version in ((1, 0), (2, 0), (3, 0)):
                file = io.BytesIO()
                array = (np.arange(np.prod(shape)) % 2).astype(dtype).reshape(shape)
                np.lib.format.write_array(file, np.asfortranarray(array), version=version)
                files.append(file.getvalue())
    return files


def _table() -> pa.Table:
    rng = np.random.default_rng(0)
    half = np.full(ROWS, 0.5)
    return pa.table({"a": rng.integers(0, 2, ROWS), "b": rng.normal(size=ROWS), "p0": half, "p1": half})


def _csv() -> list[bytes]:
    file = io.BytesIO()
    pa.csv.write_csv(_table(), file)
    plain = file.getvalue()
    quoted = plain.replace(b",", b'","').replace(b"\n", b'"\n"')
    return [
        plain,
        plain.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + plain,
        b'"' + quoted.rstrip(b'"'),
        b"a,b\n1,true\n0,False\n",
        b"a\n1\n\n0\n",
        "a,größe,b\n1,ü,2\n".encode("latin-1"),
        b"a,b\n",
        b"a,b\n" + b"1,0.25\n" * 3000,
    ]


def _parquet() -> list[bytes]:
    table, files = _table(), []
    kinds = {
        "a": pa.array([1, 0] * (ROWS // 2), pa.uint8()),
        "b": pa.array([1.5, None] * (ROWS // 2)),
        "p0": pa.array([1, 2] * (ROWS // 2)).dictionary_encode(),
        "p1": pa.array([1, 2] * (ROWS // 2), pa.int8()).cast(pa.decimal128(5, 2)),
        "word": pa.array(["x", "y"] * (ROWS // 2)),
        "nested": pa.array([{"a": [1.0]}, None] * (ROWS // 2)),
    }
    for compression in ("none", "snappy", "zstd", "gzip"):
        for version in ("1.0", "2.0"):
            for each in (table, pa.table(kinds)):
                file = io.BytesIO()
                pa.parquet.write_table(
                    each, file, compression=compression, data_page_version=version, row_group_size=16
                )
                files.append(file.getvalue())
    return files


#: The whole files by extension.
FILES: dict[str, Callable[[], list[bytes]]] = {".npy": _npy, ".csv": _csv, ".parquet": _parquet}


def broken(whole: list[bytes], random_: random.Random) -> bytes:
    """Break one of the files in one to four places; headers and footers more often than the rest."""
    data = bytearray(random_.choice(whole))
    for _ in range(random_.choice((1, 1, 1, 2, 4))):
        n = len(data)
        near = random_.choice((n, n, min(n, 128), -min(n, 400)))
        at = random_.randrange(near) if near > 0 else n + random_.randrange(near, 0) if near else 0
        length = min(n - at, random_.choice((1, 1, 2, 4, 8, 16, 100)))
        way = random_.randrange(7)
        if way == 0 and n:
            data[at] ^= 1 << random_.randrange(8)
        elif way == 1:
            data[at : at + length] = random_.randbytes(length)
        elif way == 2:
            word = random_.choice(WORDS)
            data[at : at + random_.choice((0, len(word)))] = word
        elif way == 3:
            del data[at : at + length]
        elif way == 4:
            data[at:at] = data[at : at + length] * random_.choice((1, 2, 50))
        elif way == 5:
            del data[random_.choice((at, n - min(n, 3))) :]
        else:
            other = random_.choice(whole)
            data[at : at + length] = other[at : at + length]
    return bytes(data)
