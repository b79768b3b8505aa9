"""Kinds of files: the media type of a name. Whether a file is text is decided by its bytes (`formats.text.decode`), never by its name."""

from __future__ import annotations

import codecs
from functools import lru_cache
from typing import Final

BINARY: Final = "application/octet-stream"
PLAIN: Final = "text/plain"
NOTEBOOK_TYPE: Final = "application/x-ipynb+json"

# A table of ours: Python's mimetypes reads the machine's own files, and a name must mean the same on every machine.
_BY_EXTENSION: Final = {
    # text for people
    "adoc": "text/x-asciidoc",
    "bib": "text/x-bibtex",
    "css": "text/css",
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "log": PLAIN,
    "markdown": "text/markdown",
    "md": "text/markdown",
    "org": "text/x-org",
    "rst": "text/x-rst",
    "svg": "image/svg+xml",
    "tex": "text/x-tex",
    "text": PLAIN,
    "tsv": "text/tab-separated-values",
    "txt": PLAIN,
    "vtt": "text/vtt",
    # text for programs
    "bash": "text/x-shellscript",
    "c": "text/x-c",
    "cc": "text/x-c++",
    "cfg": "text/x-ini",
    "clj": "text/x-clojure",
    "cmake": "text/x-cmake",
    "conf": "text/x-ini",
    "cpp": "text/x-c++",
    "cs": "text/x-csharp",
    "cu": "text/x-cuda",
    "cxx": "text/x-c++",
    "diff": "text/x-diff",
    "f": "text/x-fortran",
    "f90": "text/x-fortran",
    "f95": "text/x-fortran",
    "geojson": "application/geo+json",
    "go": "text/x-go",
    "h": "text/x-c",
    "hh": "text/x-c++",
    "hpp": "text/x-c++",
    "hs": "text/x-haskell",
    "ini": "text/x-ini",
    "ipynb": NOTEBOOK_TYPE,
    "java": "text/x-java",
    "jl": "text/x-julia",
    "js": "text/javascript",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "jsx": "text/jsx",
    "kt": "text/x-kotlin",
    "lua": "text/x-lua",
    "m": "text/x-matlab",
    "mjs": "text/javascript",
    "ml": "text/x-ocaml",
    "patch": "text/x-diff",
    "php": "text/x-php",
    "pl": "text/x-perl",
    "proto": "text/x-protobuf",
    "ps1": "text/x-powershell",
    "py": "text/x-python",
    "pyi": "text/x-python",
    "r": "text/x-r",
    "rb": "text/x-ruby",
    "rmd": "text/x-r-markdown",
    "qmd": "text/x-quarto",
    "rs": "text/x-rust",
    "scala": "text/x-scala",
    "sh": "text/x-shellscript",
    "sql": "application/sql",
    "swift": "text/x-swift",
    "toml": "application/toml",
    "ts": "text/x-typescript",
    "tsx": "text/x-typescript",
    "vue": "text/x-vue",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    # not text
    "7z": "application/x-7z-compressed",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "bz2": "application/x-bzip2",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "h5": "application/x-hdf5",
    "hdf5": "application/x-hdf5",
    "ico": "image/vnd.microsoft.icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "m4a": "audio/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "nc": "application/x-netcdf",
    "npy": BINARY,
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ogg": "audio/ogg",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "root": "application/x-root",
    "rtf": "application/rtf",
    "sqlite": "application/vnd.sqlite3",
    "tar": "application/x-tar",
    "tgz": "application/gzip",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ttf": "font/ttf",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "woff2": "font/woff2",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xz": "application/x-xz",
    "zip": "application/zip",
    "zst": "application/zstd",
}
_BY_NAME: Final = {
    "authors": PLAIN,
    "changelog": PLAIN,
    "cmakelists.txt": "text/x-cmake",
    "contributing": PLAIN,
    "dockerfile": "text/x-dockerfile",
    "license": PLAIN,
    "makefile": "text/x-makefile",
    "notice": PLAIN,
    "procfile": PLAIN,
    "readme": PLAIN,
}
_TEXTUAL: Final = frozenset({
    "application/json",
    "application/jsonl",
    "application/sql",
    "application/toml",
    "application/xml",
    "application/yaml",
})  # fmt: skip


def media_type(path: str, start: bytes = b"") -> str:
    """The media type of a file's name (case does not matter); of `start`, the first bytes of its content, when the name says nothing.

    Without either it is `text/plain`: an empty file of any name is text.
    """
    return named_type(path) or (PLAIN if _looks_like_text(start) else BINARY)


@lru_cache(maxsize=1024)
def named_type(path: str) -> str | None:
    """The media type that the name of a file says, None when it says nothing."""
    name = path.rpartition("/")[2].lower()
    return _BY_NAME.get(name) or _BY_EXTENSION.get(name.rpartition(".")[2] if "." in name else "")


def is_textual(media: str) -> bool:
    """Whether files of this type are text as a rule, so that a list may offer to edit them before their bytes are read."""
    return media.startswith("text/") or media.endswith(("+json", "+xml")) or media in _TEXTUAL


def textual_types() -> list[str]:
    """The media types of the files that are edited as text or as notebooks, by their names."""
    return sorted({media for media in (*_BY_EXTENSION.values(), *_BY_NAME.values()) if is_textual(media)})


def _looks_like_text(start: bytes) -> bool:
    """UTF-8 without NUL; the last character may be cut off."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return b"\0" not in start
