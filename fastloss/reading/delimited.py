"""Tables in .csv and .tsv files, compressed or not, read by pyarrow in blocks."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from fastloss.reading.locations import COMPRESSED, SourceError
from fastloss.reading.tables import Piece, Table
from fastloss.reading.unchanged import Unchanged

_BLOCK_BYTES = 1 << 20
#: A row of a .csv file may be so many times as long as its header, whatever that is.
_ROWS_LIKE_HEADER = 16
#: What files that are no .csv begin with.
_FOREIGN = {
    b"\x1f\x8b": "compressed by gzip",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a .parquet file",
    b"ARROW1": "an Arrow file",
    b"\x93NUMPY": "a .npy file",
}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER_SEPARATORS = "\t;|"


class CsvTable(Table):
    """A .csv file whose first line names its columns: numbers are float64, booleans 0 and 1.

    Columns are separated by commas; where the first line has none, by the tabs, semicolons or bars that it
    has. Beside semicolons a number may have a comma for its point. Letters are UTF-8, or UTF-16 behind its
    mark; names and labels that are no UTF-8 are taken for Latin-1.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._unchanged = Unchanged(path)
        self.names, self._start, self._separator = self._header()
        self._fraction = 0.0

    def type_of(self, name: str) -> Any:
        """Say that cells are text."""
        return None

    def batches(self, numbers: Sequence[str], labels: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield one piece for each block of the file; the block's bytes set its length, not `size`."""
        wanted = sorted({*numbers, *labels})
        # The header has been read: its length and its letters are no matter for pyarrow.
        block_bytes = max(_BLOCK_BYTES, _ROWS_LIKE_HEADER * self._start)
        row = 0
        try:
            with open(self.path, "rb") as file:
                stream = self._decoded(file)
                stream.read(self._start)
                length = os.fstat(file.fileno()).st_size
                blocks = pa.csv.open_csv(
                    stream,
                    read_options=pa.csv.ReadOptions(block_size=block_bytes, column_names=self.names),
                    parse_options=pa.csv.ParseOptions(
                        delimiter=self._separator, ignore_empty_lines=len(self.names) > 1
                    ),
                    convert_options=pa.csv.ConvertOptions(
                        include_columns=wanted, column_types=dict.fromkeys(numbers, pa.string())
                    ),
                )
                for block in blocks:
                    if len(block):
                        columns = {name: block.column(name) for name in wanted}
                        for name in labels:
                            columns[name] = _labels_of(columns[name])
                        if self._separator == ";":
                            for name in numbers:
                                columns[name] = pa.compute.replace_substring(columns[name], ",", ".")
                        row += len(block)
                        self._fraction = file.tell() / length if length else 0.0
                        yield Piece(self.path, columns)
                self._unchanged.check()
        except (OSError, pa.ArrowException) as error:
            self._unchanged.check()
            what = str(error).partition("\n")[0]
            if "Empty CSV file" in what:
                return  # there is a header alone
            if "straddling object" in what:
                what = f"a row is longer than {block_bytes:,} bytes"
            raise SourceError(f"{self.path}: after row {row}: {what}") from error

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._fraction

    def _decoded(self, file: Any) -> Any:
        """Return the bytes of the text: uncompressed, in UTF-8 where a mark says what they are in."""
        end = next((end for end in COMPRESSED if self.path.lower().endswith(end)), None)
        if end is not None:
            kind = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}[end]
            file = io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(file, "r"), kind))
        beginning = file.peek(4)
        if beginning.startswith(_UTF16):
            return io.BufferedReader(_Recoded(codecs.getreader("utf-16")(file)))
        return file

    def _header(self) -> tuple[list[str], int, str]:
        """Read the names of the columns, the length of the first line in bytes, and what separates columns.

        Names that are no UTF-8 are taken as Latin-1. What other letters the file has matters where they are
        read.
        """
        lines: list[str] = []
        try:
            with open(self.path, "rb") as file:
                stream = self._decoded(file)
                beginning = stream.peek(max(map(len, _FOREIGN)))
                for magic, what in _FOREIGN.items():
                    if beginning.startswith(magic):
                        raise SourceError(f"{self.path} is {what}, not .csv")
                mark = stream.read(len(codecs.BOM_UTF8)) if beginning.startswith(codecs.BOM_UTF8) else b""
                # A letter is a byte here. A line may end in the midst of a quoted name, which the reader
                # continues.
                text = io.TextIOWrapper(stream, encoding="latin-1", newline="")
                first = text.readline()
                separator = _separator_of(first)
                names = next(csv.reader(_kept(chain([first], text), lines), delimiter=separator), [])
        except SourceError:
            raise
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.path}: {error}") from error
        except (csv.Error, UnicodeError) as error:
            raise SourceError(f"{self.path}: its first line is no header: {error}") from error
        if not names:
            raise SourceError(f"{self.path} is empty: its first line must name the columns")
        raw = "".join(lines).encode("latin-1")
        try:
            raw.decode()
        except UnicodeDecodeError:
            return names, len(mark) + len(raw), separator
        names = [name.encode("latin-1").decode() for name in names]
        return names, len(mark) + len(raw), separator


class _Recoded(io.RawIOBase):
    """Text as bytes of UTF-8."""

    def __init__(self, text: Any) -> None:
        self._text = text
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, to: Any) -> int:
        while not self._held:
            letters = self._text.read(1 << 16)
            if not letters:
                return 0
            self._held = letters.encode()
        n = min(len(to), len(self._held))
        to[:n], self._held = self._held[:n], self._held[n:]
        return n


def _separator_of(line: str) -> str:
    """Return a comma, or what else the first line separates names by."""
    bare = re.sub(r'"[^"]*"', "", line)
    if "," in bare:
        return ","
    return max(_OTHER_SEPARATORS, key=bare.count) if any(x in bare for x in _OTHER_SEPARATORS) else ","


def _labels_of(cells: Any) -> Any:
    """Return labels; of bytes that are no UTF-8, as Latin-1."""
    if not pa.types.is_binary(cells.type):
        return cells
    encoded = cells.dictionary_encode()
    words = [None if word is None else _decoded_word(word) for word in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(words, pa.string()))


def _decoded_word(word: bytes) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return word.decode("latin-1")


def _kept(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    """Pass lines on and keep them."""
    for line in lines:
        kept.append(line)
        yield line
