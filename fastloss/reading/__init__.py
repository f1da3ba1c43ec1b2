"""Arrays and tables in files and streams, read a batch at a time: for evaluations and for the command."""

from fastloss.reading.locations import (
    Array,
    CellError,
    Location,
    Role,
    Source,
    SourceError,
    is_table,
    parse_location,
)
from fastloss.reading.readers import Chunk, Reader, check_lengths, open_readers, read_ahead

__all__ = [
    "Array",
    "CellError",
    "Chunk",
    "Location",
    "Reader",
    "Role",
    "Source",
    "SourceError",
    "check_lengths",
    "is_table",
    "open_readers",
    "parse_location",
    "read_ahead",
]
