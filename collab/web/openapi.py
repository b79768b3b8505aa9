"""The OpenAPI 3.1 document of the REST interface, written by hand; a test compares it with the routes."""

from __future__ import annotations

from typing import TypeAlias

import collab

Json: TypeAlias = "dict[str, object]"


def document(prefix: str) -> Json:
    """The whole document for a server under this path prefix."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "collab",
            "version": collab.__version__,
            "description": "Documents are the files under the server's root. A name is a path or an id, percent-encoded as one segment.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": _PATHS,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Made by `collab token`."},
                "session": {"type": "apiKey", "in": "cookie", "name": "collab_<port>", "description": "Made by POST /api/session."},
            },
            "schemas": _SCHEMAS,
            "responses": {"problem": {"description": "Problem details (RFC 9457).", "content": _PROBLEM}},
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: Json, media: str = "application/json") -> Json:
    return {media: {"schema": schema}}


def _object(*required: str, **properties: Json) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


def _answers(success: str, description: str, *problems: str, schema: str | None = None, headers: Json | None = None) -> Json:
    answer: Json = {"description": description}
    if schema is not None:
        answer["content"] = _content(_ref(schema))
    if headers is not None:
        answer["headers"] = headers
    return {success: answer, **_refusals(*problems)}


def _refusals(*problems: str) -> Json:
    return {status: {"$ref": "#/components/responses/problem"} for status in problems}


def _body(schema: Json) -> Json:
    return {"required": True, "content": _content(schema)}


_STRING: Json = {"type": "string"}
_NOT_CHANGED: Json = {"304": {"description": "Not changed."}}
_ETAG: Json = {"ETag": {"schema": _STRING, "description": "The document's etag in quotes."}}
_LOCATION: Json = {**_ETAG, "Location": {"schema": _STRING, "description": "The new document's address."}}
_PROBLEM = _content({"$ref": "#/components/schemas/Problem"}, "application/problem+json")
_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "An id (`id:` and 26 letters) or a path under the root, in one segment: `/` is written `%2F`.",
    "schema": _STRING,
}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The etag in quotes, or `*`. Missing: 428; another than the document's: 412.",
    "schema": _STRING,
}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "An etag that you have: 304 when it is the document's.",
    "schema": _STRING,
}
_SAID: Json = {"ETag": {"schema": _STRING, "description": "Of tags and description, not of the document."}}
_IF_SAID: Json = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The etag of tags and description that you have read; another one than theirs: 412.",
    "schema": _STRING,
}
_COUNT: Json = {"type": "integer", "minimum": 0}
_NUMBER: Json = {"name": "number", "in": "path", "required": True, "description": "A version's number.", "schema": _COUNT}
_ATTACHED: Json = {"name": "name", "in": "path", "required": True, "description": "An attachment's name.", "schema": _STRING}
_ATTACHED_ALREADY: Json = {"200": {"description": "It was attached already.", "content": _content(_ref("Attachment"))}}
_COPYING = _refusals("400", "401", "403", "404", "413", "503")
_RANGE: Json = {
    "name": "Range",
    "in": "header",
    "required": False,
    "description": "One range of bytes (RFC 9110, section 14), if `If-Range` allows it.",
    "schema": _STRING,
}
_WAIT: Json = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=25` with `If-None-Match`: the answer comes when there is another content, or after so many seconds (RFC 7240).",
    "schema": _STRING,
}
_ACTION: Json = {"type": "string", "enum": ["edit", "view"]}
_UNIT: Json = {"type": "string", "enum": ["code-point", "utf-16", "utf-8"], "default": "code-point"}
_BYTES: Json = _content({"type": "string", "contentMediaType": "application/octet-stream"}, "*/*")
_MERGED: Json = {
    "200": {
        "description": "Merged.",
        "headers": {
            "ETag": {"schema": _STRING, "description": "The document's etag, when what was sent is all that it holds."},
            "X-Collab-Merged": {
                "schema": {"type": "string", "enum": ["true", "false"]},
                "description": "Whether others changed the text, too: read it again.",
            },
        },
        "content": _content(_ref("Document")),
    }
}
_IF_READ: Json = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "For a document that is there: the etag that was read, in quotes, or `*` for what is there now. Not known any more: 412.",
    "schema": _STRING,
}
_IF_NONE: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "`*`: only a new document is meant; when there is one: 412. Neither this nor `If-Match`: 428.",
    "schema": {"type": "string", "const": "*"},
}
_Q: Json = {
    "name": "q",
    "in": "query",
    "required": True,
    "description": "Words with spaces between them: at most 12, of 200 characters. None is read as a pattern.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_IN: Json = {
    "name": "in",
    "in": "query",
    "required": False,
    "description": "What is searched.",
    "schema": {"type": "string", "enum": ["all", "name", "content"], "default": "all"},
}
_FOUND: Json = {"200": {"description": "What is found.", "content": _content(_ref("Found"), "application/x-ndjson")}}
_PAGE: Json = {"text/html": {"schema": _STRING}}
_PAGES_REFUSED: Json = {
    status: {"description": "Refused: as a page for who takes HTML, else problem details (RFC 9457).", "content": _PAGE | _PROBLEM}
    for status in ("400", "401", "403", "404", "429", "503")
}
_SHOWN: Json = {"200": {"description": "The page.", "content": _PAGE}}
_READING: Json = {
    "200": {
        "description": "The page, whole without a script; or events, until either side ends: `about`, `patch`, `reload`, `ended`.",
        "headers": {"ETag": {"schema": _STRING, "description": "Of the page, weak; a stream has none."}},
        "content": {**_PAGE, "text/event-stream": {"schema": _STRING}},
    },
}
_READ: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "An id (`id:` and 26 letters) or a path under the root; here `/` may stand as it is.",
    "schema": _STRING,
}
_LANG: Json = {
    "name": "lang",
    "in": "query",
    "required": False,
    "description": "The language of the page's words (`en`, `de`, `fr`): before the one chosen in the settings, and `Accept-Language`.",
    "schema": _STRING,
}
_PATH_QUERY: Json = {"name": "path", "in": "query", "required": False, "description": "A folder; empty is the root.", "schema": _STRING}

_TAGS: Json = {
    "type": "array",
    "items": {"type": "string", "maxLength": 50, "description": "One line without commas."},
    "maxItems": 20,
    "description": "None twice, in whatever case.",
}
_DESCRIPTION: Json = {"type": "string", "maxLength": 1000, "description": "Plain text of any number of lines."}
_STRETCHES: Json = {
    "type": "array",
    "items": _object("kind", "text", kind={"type": "string", "enum": ["same", "added", "removed"]}, text=_STRING),
}
_STORED: Json = {"name": "key", "in": "path", "required": True, "description": "What the storage calls the version.", "schema": _STRING}
_FROM: dict[str, Json] = {"from": {"type": ["integer", "null"], "description": "Null: there is none before."}}
_SCHEMAS: Json = {
    "Edit": _object(
        *("start", "stop", "text"), start=_COUNT, stop=_COUNT, text={"type": "string", "description": "What is there instead."}
    ),
    "Version": _object(
        *("number", "at", "size", "etag", "source", "writers", "name"),
        number={"type": "integer", "minimum": 0, "description": "Grows with each version of the document."},
        at={"type": "string", "format": "date-time"},
        size={"type": "integer", "minimum": 0, "description": "Bytes."},
        etag=_STRING,
        source={
            "type": "string",
            "enum": ["first", "save", "outside", "restore", "replaced"],
            "description": "Who wrote the file; `replaced`: another program, and a cloud let a save of ours replace it unseen.",
        },
        writers={
            "type": "array",
            "items": _object("id", "name", "color", id=_STRING, name=_STRING, color=_STRING),
            "description": "Who wrote since the version before.",
        },
        name={"type": "string", "description": "Given by a person, or empty."},
    ),
    "Versions": _object("versions", "more", versions={"type": "array", "items": _ref("Version")}, more={"type": "boolean"}),
    "Author": _object(
        *("kind", "id", "name", "color", "characters", "relayed", "deleted", "first", "last"),
        kind={
            "type": "string",
            "enum": ["person", "erased", "file", "program", "unknown"],
            "description": "`file`: as it was found; `program`: changed the file; `unknown`: from before anybody noted who wrote.",
        },
        id={"type": "string", "description": "Empty unless a person."},
        name={"type": "string", "description": "Empty unless a person."},
        color={"type": "string", "description": "`#rrggbb`, empty unless a person."},
        characters={"type": "integer", "minimum": 0, "description": "Code points that are there."},
        relayed={"type": "integer", "minimum": 0, "description": "Of these, those that came over somebody else's connection."},
        deleted={"type": "integer", "minimum": 0, "description": "UTF-16 units deleted, of whomever."},
        first={"type": ["string", "null"], "format": "date-time"},
        last={"type": ["string", "null"], "format": "date-time"},
    ),
    "Authors": _object(
        *("characters", "authors"),
        characters={"type": "integer", "minimum": 0, "description": "Code points of the text: the authors' add up to it."},
        authors={"type": "array", "items": _ref("Author"), "description": "Those with most characters first."},
        runs={
            "type": "array",
            "items": _object("start", "stop", "author", start=_COUNT, stop=_COUNT, author=_COUNT),
            "description": "In code points from the start of the text, whose it is: a place in `authors`. With `runs=text`.",
        },
        clients={
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "array", "items": _COUNT, "minItems": 3, "maxItems": 3}},
            "description": "For each client id of the CRDT: from clock, to clock, place in `authors`. With `runs=clients`.",
        },
    ),
    "Difference": _object(
        *("from", "to", "changes"),
        **_FROM,
        to={"type": ["integer", "null"], "minimum": 0, "description": "Null: the text as it is now."},
        changes=_STRETCHES,
    ),
    "Changes": _object("changes", changes=_STRETCHES),
    "StorageVersions": _object(
        *("kept", "may_restore", "versions", "more", "reason", "detail"),
        kept={"type": "boolean", "description": "Whether the storage keeps versions by itself, as a cloud does."},
        may_restore={"type": "boolean", "description": "Whether the storage lets the caller bring one back."},
        versions={
            "type": "array",
            "items": _object("key", "at", "size", key=_STRING, at={"type": "string", "format": "date-time"}, size=_COUNT),
            "maxItems": 1000,
        },
        more={"type": "boolean", "description": "There are older ones."},
        reason={"type": "string", "enum": ["", "denied", "unsupported"], "description": "Why there are none to see."},
        detail={"type": "string", "description": "The same in words."},
    ),
    "Restored": {
        "allOf": [
            _ref("Document"),
            _object(
                *("version", "before"),
                version={"type": ["integer", "null"], "minimum": 0, "description": "The restoration, as a version."},
                before={"type": ["integer", "null"], "minimum": 0, "description": "The version that was there until then."},
            ),
        ]
    },
    "Document": _object(
        *("id", "path", "type", "size", "etag", "modified", "role", "starred"),
        id={"type": "string", "description": "`id:` and 26 letters; survives renames. Empty for a folder."},
        path={"type": "string", "description": "Under the root, `/` between folders."},
        type={"type": "string", "description": "Media type; `inode/directory` for a folder."},
        size={"type": "integer", "minimum": 0, "description": "Bytes."},
        etag={"type": "string", "description": "Changes with the content. In headers it stands in quotes."},
        modified={"type": "string", "format": "date-time"},
        role={"type": "string", "enum": ["viewer", "editor", "owner"], "description": "What the caller may do with it."},
        starred={"type": "boolean", "description": "Whether it has the caller's star."},
        tags={"type": "array", "items": _STRING, "description": "In lists and for one document, where it has any."},
        held=_object(
            *("by", "application", "since"),
            by={"type": "string", "description": "The person's name, as the application has it; it may be empty."},
            application={"type": "string", "description": "`LibreOffice` or `Microsoft Office`."},
            since={"type": "string", "format": "date-time"},
        ),
    ),
    "About": _object(
        *("tags", "description", "etag", "kept"),
        etag=_STRING,
        tags=_TAGS,
        description=_DESCRIPTION,
        kept={"type": "boolean", "description": "Whether the storage keeps anything of the kind; if not, `detail` says so."},
        detail=_STRING,
    ),
    "Opened": {
        "allOf": [
            _ref("Document"),
            _object("opened", opened={"type": "string", "format": "date-time", "description": "When the caller opened it last."}),
        ],
    },
    "Subject": _object(
        *("kind", "id", "name"),
        kind={"type": "string", "enum": ["person", "group", "link"]},
        id=_STRING,
        name=_STRING,
        detail={"type": "string", "description": "What tells those of one name apart."},
    ),
    "Share": _object(
        *("id", "subject", "role", "expires", "made", "inherited_from", "password", "uses_left"),
        id=_STRING,
        subject=_ref("Subject"),
        role={"type": ["string", "null"], "enum": ["viewer", "editor", "owner", None]},
        expires={"type": ["string", "null"], "format": "date-time"},
        made={
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When it was given; null where nobody tells, as in a cloud.",
        },
        inherited_from={
            "type": ["string", "null"],
            "description": "The path of the folder that it was given with; null: it was given itself.",
        },
        password={"type": "boolean", "description": "Of a link: one is asked for."},
        uses_left={"type": ["integer", "null"], "description": "Of a link: null for any number."},
        address={"type": "string", "description": "Of a link: where people open it. Told once, when it is made."},
    ),
    "Shares": _object(
        *("shares", "allowed"),
        shares={"type": "array", "items": _ref("Share")},
        allowed={"type": "object", "description": "What can be given here, and how."},
    ),
    "People": _object("people", people={"type": "array", "items": _ref("Subject")}),
    "Shelf": _object(
        *("starred", "recent"),
        starred={"type": "array", "items": _ref("Document"), "description": "Newest star first."},
        recent={"type": "array", "items": _ref("Opened"), "description": "Last opened first; 200 at most."},
    ),
    "Found": {
        "description": "One line of a search's answer.",
        "oneOf": [
            _object("document", "matches", document=_ref("Document"), matches={"type": "array", "items": _ref("Match")}),
            _object(
                "searched",
                searched={"type": "integer", "description": "Documents that the search is done with."},
                done={"type": "boolean", "description": "True in the last line, and only there."},
                more={"type": "boolean", "description": "In the last line: whether there may be others that it did not come to."},
            ),
        ],
    },
    "Match": _object(
        *("line", "text", "ranges"),
        line={"type": "integer", "minimum": 1},
        text={"type": "string", "description": "The line; of a long one 160 characters around the first match, with … where it is cut."},
        ranges={
            "type": "array",
            "items": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
            "description": "Start and end of each match in `text`, in UTF-16 units.",
        },
    ),
    "Listing": _object(
        "path", "writable", "documents", path=_STRING, writable={"type": "boolean"}, documents={"type": "array", "items": _ref("Document")}
    ),
    "Session": _object(
        *("id", "name", "color", "role", "kind", "version", "renamable"),
        id=_STRING,
        name=_STRING,
        color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        role={"type": "string", "enum": ["viewer", "editor", "owner"]},
        kind={
            "type": "string",
            "enum": ["account", "oidc", "guest", "operator"],
            "description": "How the caller came: by an account, a provider, a link, or by what the operator signed.",
        },
        version={"type": "string", "description": "The server's."},
        renamable={"type": "boolean", "description": "Whether the caller may choose the name."},
        folder={"type": "string", "description": "Of somebody from a cloud: where the folder is that they may go on in."},
        viewOnly={
            "type": "boolean",
            "description": "True for who came from a cloud to look at a document only: nothing of it is given out here.",
        },
    ),
    "SignIn": _object(
        *("id", "person", "kind", "agent", "since", "seen", "expires", "current"),
        id=_STRING,
        person=_object("id", "name", id=_STRING, name=_STRING),
        kind={"type": "string", "enum": ["account", "oidc", "guest"]},
        agent={"type": "string", "description": "Browser and system, such as `Firefox, Linux`; empty: not known."},
        since={"type": "string", "format": "date-time"},
        seen={"type": "string", "format": "date-time", "description": "Used last, to the minute."},
        expires={"type": "string", "format": "date-time"},
        current={"type": "boolean", "description": "The one that asks."},
    ),
    "SignIns": _object(
        "sessions", sessions={"type": "array", "items": _ref("SignIn"), "description": "Used last comes first; 1000 at most."}
    ),
    "Deleted": _object(
        *("key", "path", "until"),
        key={"type": "string", "description": "What it is restored by."},
        path={"type": "string", "description": "Where it was."},
        until={"type": ["string", "null"], "format": "date-time", "description": "When it goes for good; null: a cloud does not tell."},
    ),
    "Binned": _object(
        *("key", "path", "type", "size", "deleted", "by", "until"),
        key={"type": "string", "description": "What it is restored by."},
        path={"type": "string", "description": "Where it was."},
        type={"type": "string", "description": "Media type; `inode/directory` for a folder with all that was in it."},
        size={"type": "integer", "minimum": 0, "description": "Bytes; 0 for a folder."},
        deleted={"type": "string", "format": "date-time"},
        by={"type": "string", "description": "The name of who deleted it."},
        until={"type": ["string", "null"], "format": "date-time", "description": "When it goes for good; null: a cloud does not tell."},
    ),
    "Attachment": _object(
        *("name", "path", "reference", "type", "size", "modified"),
        name=_STRING,
        path={"type": "string", "description": "Where its bytes are read, as those of any file."},
        reference={"type": "string", "description": "What the document's text says of it: an address relative to the document."},
        type={"type": "string", "description": "Media type."},
        size={"type": "integer", "minimum": 0, "description": "Bytes."},
        modified={"type": "string", "format": "date-time"},
        used={"type": "boolean", "description": "In the list: the text names it."},
    ),
    "Attachments": _object("attachments", attachments={"type": "array", "items": _ref("Attachment")}),
    "Bin": _object("entries", entries={"type": "array", "items": _ref("Binned"), "description": "Newest first."}),
    "Offices": _object(
        "suites",
        suites={
            "type": "array",
            "items": _object(
                *("name", "product", "healthy", "actions"),
                name=_STRING,
                product={"type": "string", "enum": ["collabora", "onlyoffice", "microsoft", ""]},
                healthy={"type": "boolean", "description": "It answered the last time, with something to open."},
                detail={"type": "string", "description": "What is wrong with it; for owners."},
                actions={"type": "array", "items": _object("action", "ext", action=_ACTION, ext=_STRING)},
            ),
        },
    ),
    "Openings": _object(
        "actions",
        actions={
            "type": "array",
            "items": _object("suite", "action", suite=_STRING, action=_ACTION, icon={"type": "string", "format": "uri"}),
        },
        locked=_object("by", "application", by=_STRING, application=_STRING),
    ),
    "Launch": _object(
        *("url", "access_token", "access_token_ttl", "origin"),
        url={"type": "string", "format": "uri", "description": "Where a form posts `access_token` and `access_token_ttl`."},
        access_token=_STRING,
        access_token_ttl={"type": "integer", "description": "When the token ends, in milliseconds since the epoch."},
        origin={"type": "string", "description": "Whose messages the page believes."},
    ),
    "Templates": {
        "type": "array",
        "items": _object(
            *("name", "title", "type"),
            name={
                "type": "string",
                "description": "An extension for what is built in, else a file's name; new documents end in its extension.",
            },
            title=_STRING,
            type={"type": "string", "description": "Media type."},
        ),
    },
    "Conflict": _object(
        *("document", "path", "copy", "at", "reason", "by", "suite", "size", "count"),
        document={"type": "string", "description": "The document's id."},
        path={"type": "string", "description": "Where it is now; empty when it is gone."},
        copy={"type": "string", "description": "Where the copy is now."},
        at={"type": "string", "format": "date-time", "description": "When the body came that the copy holds."},
        reason={"type": "string", "description": "Why the document did not take it, in words."},
        by={"type": "string", "description": "The name of whose words they are; empty when that person was erased."},
        suite={"type": "string", "description": "The name of the office suite; empty when it is not known."},
        size={"type": "integer", "minimum": 0, "description": "Bytes."},
        count={"type": "integer", "minimum": 1, "description": "So many bodies came within the hour; the copy holds the last."},
    ),
    "Conflicts": _object("conflicts", conflicts={"type": "array", "items": _ref("Conflict"), "description": "Newest first, 200 at most."}),
    "Renewal": _object("token", "expires", token=_STRING, expires={"type": "string", "format": "date-time"}),
    "Problem": _object(
        *("type", "title", "status", "detail", "reason"),
        type=_STRING,
        title=_STRING,
        status={"type": "integer"},
        detail={"type": "string", "description": "What happened and what to do, in words."},
        reason={"type": "string", "description": "A word for programs."},
    ),
}

_FOLDER: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The path of a folder under the root, in one segment: `/` is written `%2F`.",
    "schema": _STRING,
}
_KEY: Json = {"name": "key", "in": "path", "required": True, "description": "The key of something in the bin.", "schema": _STRING}

_SHARE: Json = {"name": "share", "in": "path", "required": True, "schema": _STRING}
_TERMS: dict[str, Json] = {
    "role": {"type": "string", "enum": ["viewer", "editor", "owner"]},
    "expires": {"type": ["string", "null"], "format": "date-time", "description": "Null: never."},
}


def _shares(address: str, parameters: list[Json], of: str) -> Json:
    """Of a document or folder, or of everything."""
    given = _object(
        *("kind", "role"),
        **_TERMS,
        kind={"type": "string", "enum": ["person", "group", "link"]},
        id={"type": "string", "description": "Of a person or group."},
        password={"type": "string", "description": "Of a link: at least 6 characters."},
        uses={"type": ["integer", "null"], "minimum": 1, "description": "Of a link: so many may open it."},
    )
    usual = ("400", "401", "403", "404", "413", "415", "501", "503")
    return {
        address: {
            "parameters": [*parameters],
            "get": {
                "operationId": f"shares{of}",
                "summary": "Who was given what, also with the folders around",
                "responses": _answers("200", "All, and what can be given.", "401", "403", "404", "503", schema="Shares"),
            },
            "post": {
                "operationId": f"share{of}",
                "summary": "Give a role to a person, a group, or whoever has a link",
                "requestBody": _body(given),
                "responses": _answers("201", "Given.", *usual, schema="Share"),
            },
        },
        address + "/{share}": {
            "parameters": [*parameters, _SHARE],
            "patch": {
                "operationId": f"change_share{of}",
                "summary": "Another role, another end",
                "requestBody": _body(_object(**_TERMS)),
                "responses": _answers("200", "Changed.", *usual, schema="Share"),
            },
            "delete": {
                "operationId": f"end_share{of}",
                "summary": "Take it back: it counts no more, on every open connection",
                "responses": _answers("204", "Taken back.", "401", "403", "404", "503"),
            },
        },
    }


_PATHS: Json = {
    "/api/openapi.json": {
        "get": {
            "operationId": "describe",
            "summary": "This document",
            "security": [],
            "responses": {"200": {"description": "The description of this interface.", "content": _content({"type": "object"})}},
        },
    },
    "/api/session": {
        "get": {
            "operationId": "who",
            "summary": "Who the caller is",
            "responses": _answers("200", "The caller.", "401", schema="Session"),
        },
        "post": {
            "operationId": "sign_in",
            "summary": "Turn the secret of a printed address (once), or an account and its password, into a session cookie",
            "security": [],
            "requestBody": _body(
                {
                    "oneOf": [
                        _object("secret", secret=_STRING),
                        _object("account", "password", account=_STRING, password={"type": "string", "format": "password"}),
                    ]
                }
            ),
            "responses": _answers("200", "Signed in.", "400", "401", "403", "413", "415", "429", "503", schema="Session"),
        },
        "patch": {
            "operationId": "rename",
            "summary": "Another name for the caller, if the operator gave none",
            "description": "The answer brings a new cookie of the same person and end.",
            "security": [{"session": []}],
            "requestBody": _body(_object("name", name={"type": "string", "minLength": 1, "maxLength": 60})),
            "responses": _answers("200", "Renamed.", "400", "401", "403", "413", "415", schema="Session"),
        },
        "delete": {
            "operationId": "sign_out",
            "summary": "End the session",
            "security": [],
            "responses": {
                **_answers("204", "Signed out.", "403"),
                "200": {
                    "description": "Signed out here; the page goes on to the provider's address, to sign out there as well.",
                    "content": _content(_object("leave", leave={"type": "string", "format": "uri"})),
                },
            },
        },
    },
    "/api/session/password": {
        "post": {
            "operationId": "change_password",
            "summary": "Another password for the caller's account",
            "description": "All other sessions of the account end.",
            "security": [{"session": []}],
            "requestBody": _body(
                _object("password", "new", password={"type": "string", "format": "password"}, new={"type": "string", "format": "password"})
            ),
            "responses": _answers("204", "Changed.", "400", "401", "403", "413", "415", "429", "503"),
        },
    },
    "/api/sessions": {
        "get": {
            "operationId": "sign_ins",
            "summary": "The caller's sessions that have a record: of accounts, of a provider's users, of guests",
            "parameters": [{"name": "all", "in": "query", "schema": _STRING, "description": "Everybody's, for an owner of everything."}],
            "responses": _answers("200", "The sessions.", "401", "403", "503", schema="SignIns"),
        },
        "delete": {
            "operationId": "sign_out_everywhere",
            "summary": "End all of the caller's sessions, this one too",
            "parameters": [{"name": "others", "in": "query", "schema": _STRING, "description": "All but this one."}],
            "responses": _answers("204", "Ended.", "401", "403", "503"),
        },
    },
    "/api/sessions/{id}": {
        "delete": {
            "operationId": "end_sign_in",
            "summary": "End a session: one's own, or for an owner of everything anybody's",
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": _STRING}],
            "responses": _answers("204", "Ended, with its sockets.", "401", "403", "404", "503"),
        },
    },
    "/api/session/renewal": {
        "post": {
            "operationId": "renew",
            "summary": "A new token for a page in a frame, before its present one ends",
            "description": "Only for the token of such a page; never valid beyond the end of the token that the page was opened with.",
            "security": [{"token": []}],
            "responses": _answers("200", "The new token.", "401", "403", schema="Renewal"),
        },
    },
    "/api/documents": {
        "get": {
            "operationId": "entries",
            "summary": "The entries of a folder",
            "parameters": [_PATH_QUERY],
            "responses": _answers("200", "The entries.", "400", "401", "403", "404", "413", "503", schema="Listing"),
        },
        "post": {
            "operationId": "create",
            "summary": "Create a document",
            "requestBody": _body(
                _object(
                    "path",
                    path=_STRING,
                    content={"type": "string", "description": "Empty when left out."},
                    template={
                        "type": "string",
                        "description": "Instead of content: the name of what it is made from, of `GET /api/templates`.",
                    },
                )
            ),
            "responses": _answers(
                *("201", "Created.", "400", "401", "403", "404", "409", "413", "415", "503"), schema="Document", headers=_LOCATION
            ),
        },
    },
    "/api/documents/{id}": {
        "parameters": [_ID],
        "get": {
            "operationId": "show",
            "summary": "One document",
            "parameters": [_IF_NONE_MATCH],
            "responses": _answers(*("200", "The document.", "400", "401", "403", "404", "413", "503"), schema="Document", headers=_ETAG)
            | _NOT_CHANGED,
        },
        "patch": {
            "operationId": "move",
            "summary": "Rename or move; the id stays",
            "parameters": [_IF_MATCH],
            "requestBody": _body(_object("path", path=_STRING)),
            "responses": _answers(
                *("200", "Moved.", "400", "401", "403", "404", "409", "412", "413", "415", "428", "503"), schema="Document", headers=_ETAG
            ),
        },
        "delete": {
            "operationId": "delete",
            "summary": "Move the document into the bin",
            "parameters": [_IF_MATCH],
            "responses": _answers("200", "In the bin.", "400", "401", "403", "404", "412", "413", "428", "503", schema="Deleted"),
        },
    },
    "/api/documents/{id}/content": {
        "parameters": [_ID],
        "get": {
            "operationId": "content",
            "summary": "The bytes of the file as it is or will be saved, once they are durable",
            "parameters": [_IF_NONE_MATCH, _WAIT, _RANGE],
            "responses": {
                "206": {"description": "The bytes that were asked for.", "content": _BYTES},
                "416": {"description": "There are no such bytes.", "content": _PROBLEM},
                "200": {
                    "description": "The content, as an attachment.",
                    "headers": _ETAG,
                    "content": _content({"type": "string", "contentMediaType": "application/octet-stream"}, "*/*"),
                },
            }
            | _refusals("400", "401", "403", "404", "413", "503")
            | _NOT_CHANGED,
        },
        "put": {
            "operationId": "upload",
            "summary": "Create a document of any kind with this content, or merge this content into the document",
            "description": "With `If-None-Match: *` the id is the path of the new document, whose folder must exist. With `If-Match` the body is "
            "compared with the one of that etag, which the caller had read, and the differences are merged with what others did since.",
            "parameters": [_IF_NONE, _IF_READ],
            "requestBody": {"required": True, "content": _BYTES},
            "responses": _answers(
                *("201", "Created.", "400", "401", "403", "404", "412", "413", "415", "428", "503"), schema="Document", headers=_LOCATION
            )
            | _MERGED,
        },
        "post": {
            "operationId": "offer",
            "summary": "Merge a whole text whose writer cannot say what it had read",
            "description": "For a copy that has another history (close code 4409, after a restored backup): the text is compared with the nearest "
            "of what its writer may have read. When nothing is near, it is kept beside the document: 201.",
            "requestBody": {"required": True, "content": _BYTES},
            "responses": _answers(
                "201", "Kept beside.", "400", "401", "403", "404", "413", "415", "503", schema="Document", headers=_LOCATION
            )
            | _MERGED,
        },
        "patch": {
            "operationId": "edit",
            "summary": "Edit the text that was read",
            "description": "Places count in the text of the body with this etag, whose line ends are one LF each. What others did since is merged.",
            "parameters": [_IF_MATCH],
            "requestBody": _body(_object("edits", edits={"type": "array", "items": _ref("Edit"), "maxItems": 10_000}, unit=_UNIT)),
            "responses": _refusals("400", "401", "403", "404", "412", "413", "415", "428", "503") | _MERGED,
        },
    },
    "/api/documents/{id}/metadata": {
        "parameters": [_ID],
        "get": {
            "operationId": "metadata",
            "summary": "Tags and description",
            "responses": _answers("200", "What is said.", "400", "401", "403", "404", "413", "503", schema="About", headers=_SAID),
        },
        "put": {
            "operationId": "set_metadata",
            "summary": "Say something else; fields that are left out stay",
            "description": "With `If-Match` only what was read is changed; without it the last one counts, field by field.",
            "parameters": [_IF_SAID],
            "requestBody": _body({"type": "object", "properties": {"tags": _TAGS, "description": _DESCRIPTION}}),
            "responses": _answers(
                *("200", "What is said now.", "400", "401", "403", "404", "412", "413", "415", "423", "501", "503"),
                schema="About",
                headers=_SAID,
            ),
        },
    },
    "/api/documents/{id}/authors": {
        "parameters": [_ID],
        "get": {
            "operationId": "authors",
            "summary": "Who wrote what is there, and who deleted how much",
            "description": "Counted by signed-in connections, never by what clients say of themselves.",
            "parameters": [
                {
                    "name": "runs",
                    "in": "query",
                    "required": False,
                    "schema": {"type": "string", "enum": ["text", "clients"], "default": "text"},
                }
            ],
            "responses": _answers("200", "The authors.", "400", "401", "403", "404", "413", "415", "503", schema="Authors"),
        },
    },
    "/api/documents/{id}/attachments": {
        "parameters": [_ID],
        "get": {
            "operationId": "attachments",
            "summary": "What is attached to a document, and what of it the text names",
            "responses": _answers("200", "The attachments.", "400", "401", "403", "404", "413", "503", schema="Attachments"),
        },
        "post": {
            "operationId": "attach",
            "summary": "Attach a file; the same bytes are kept once",
            "parameters": [
                {"name": "name", "in": "query", "required": True, "description": "What the file is called.", "schema": _STRING},
            ],
            "requestBody": {"required": True, "content": _BYTES},
            "responses": _answers(
                "201", "The attachment.", "400", "401", "403", "404", "408", "413", "415", "503", "507", schema="Attachment"
            )
            | _ATTACHED_ALREADY,
        },
    },
    "/api/documents/{id}/attachments/copies": {
        "parameters": [_ID],
        "post": {
            "operationId": "copy_attachments",
            "summary": "Copy what is attached to the document of which this one is a copy",
            "requestBody": _body(
                {"type": "object", "required": ["from"], "properties": {"from": {**_STRING, "description": "Its id or path."}}}
            ),
            "responses": {"200": {"description": "So many.", "content": _content(_object("copied", copied=_COUNT))}, **_COPYING},
        },
    },
    "/api/documents/{id}/attachments/{name}": {
        "parameters": [_ID, _ATTACHED],
        "delete": {
            "operationId": "discard_attachment",
            "summary": "Move an attachment into the bin",
            "responses": {
                "200": {"description": "It is there.", "content": _content(_object("key", "path", key=_STRING, path=_STRING))},
                **_COPYING,
            },
        },
    },
    "/api/documents/{id}/attachments/{name}/restoration": {
        "parameters": [_ID, _ATTACHED],
        "post": {
            "operationId": "restore_attachment",
            "summary": "Bring an attachment back from the bin",
            "requestBody": _body(_object("key", key={"type": "string", "description": "As the deletion told it."})),
            "responses": _answers("201", "The attachment.", "400", "401", "403", "404", "409", "413", "503", schema="Attachment"),
        },
    },
    "/api/documents/{id}/versions": {
        "parameters": [_ID],
        "get": {
            "operationId": "versions",
            "summary": "What the file held, newest first",
            "parameters": [
                {"name": "before", "in": "query", "required": False, "description": "Only those with a lesser number.", "schema": _COUNT},
                {
                    "name": "limit",
                    "in": "query",
                    "required": False,
                    "schema": {"type": "integer", "minimum": 0, "maximum": 500, "default": 100},
                },
            ],
            "responses": _answers("200", "The versions.", "400", "401", "403", "404", "413", "503", schema="Versions"),
        },
    },
    "/api/documents/{id}/versions/{number}": {
        "parameters": [_ID, _NUMBER],
        "get": {
            "operationId": "version",
            "summary": "One version",
            "responses": _answers("200", "The version.", "400", "401", "403", "404", "413", "503", schema="Version"),
        },
        "patch": {
            "operationId": "name_version",
            "summary": "Give a version a name; what has one is kept for ever",
            "requestBody": _body(_object("name", name={"type": "string", "maxLength": 200, "description": "Empty: no name any more."})),
            "responses": _answers("200", "The version.", "400", "401", "403", "404", "413", "415", "503", schema="Version"),
        },
    },
    "/api/documents/{id}/versions/{number}/content": {
        "parameters": [_ID, _NUMBER],
        "get": {
            "operationId": "version_content",
            "summary": "The bytes of a version",
            "responses": {"200": {"description": "The content, as an attachment.", "headers": _ETAG, "content": _BYTES}}
            | _refusals("400", "401", "403", "404", "413", "503"),
        },
    },
    "/api/documents/{id}/versions/{number}/difference": {
        "parameters": [_ID, _NUMBER | {"description": "A version's number, or `now`.", "schema": {"oneOf": [_COUNT, {"const": "now"}]}}],
        "get": {
            "operationId": "difference",
            "summary": "What a version has that another one has not, word by word",
            "parameters": [
                {"name": "from", "in": "query", "required": False, "description": "Left out: the version before.", "schema": _COUNT}
            ],
            "responses": _answers("200", "The stretches in order.", "400", "401", "403", "404", "413", "415", "503", schema="Difference"),
        },
    },
    "/api/documents/{id}/versions/{number}/restoration": {
        "parameters": [_ID, _NUMBER],
        "post": {
            "operationId": "restore_version",
            "summary": "Make the text that of a version, by an edit: whoever types goes on",
            "description": "What was there is a version first. With `over` a restoration is taken back: what was done since stays.",
            "parameters": [
                {"name": "over", "in": "query", "required": False, "description": "The number of that restoration.", "schema": _COUNT}
            ],
            "responses": _answers(
                *("200", "Restored.", "400", "401", "403", "404", "412", "413", "415", "503"), schema="Restored", headers=_ETAG
            ),
        },
    },
    "/api/documents/{id}/storage-versions": {
        "parameters": [_ID],
        "get": {
            "operationId": "storage_versions",
            "summary": "What the storage keeps of the file by itself, newest first",
            "responses": _answers("200", "The versions.", "400", "401", "403", "404", "413", "503", schema="StorageVersions"),
        },
    },
    "/api/documents/{id}/storage-versions/{key}/content": {
        "parameters": [_ID, _STORED],
        "get": {
            "operationId": "storage_version_content",
            "summary": "The bytes of one of them",
            "responses": {"200": {"description": "The content, as an attachment.", "content": _BYTES}}
            | _refusals("400", "401", "403", "404", "413", "501", "503"),
        },
    },
    "/api/documents/{id}/storage-versions/{key}/difference": {
        "parameters": [_ID, _STORED],
        "get": {
            "operationId": "storage_version_difference",
            "summary": "What came with it, what has happened since, or its text alone",
            "parameters": [
                {
                    "name": "against",
                    "in": "query",
                    "required": False,
                    "schema": {"type": "string", "enum": ["before", "now", "none"], "default": "before"},
                }
            ],
            "responses": _answers(
                *("200", "The stretches in order.", "400", "401", "403", "404", "413", "415", "501", "503"), schema="Changes"
            ),
        },
    },
    "/api/documents/{id}/storage-versions/{key}/restoration": {
        "parameters": [_ID, _STORED],
        "post": {
            "operationId": "restore_storage_version",
            "summary": "Make the text that of one of them, by an edit: whoever types goes on",
            "description": "What was there is a version first. What is no text is replaced, and what was there is a version of the storage; "
            "then `version` and `before` are null.",
            "responses": _answers(
                *("200", "Restored.", "400", "401", "403", "404", "412", "413", "415", "423", "501", "503"),
                schema="Restored",
                headers=_ETAG,
            ),
        },
    },
    "/api/documents/{id}/return": {
        "parameters": [_ID],
        "post": {
            "operationId": "put_back",
            "summary": "Write the file again of an open document, which was deleted outside",
            "responses": _answers(
                "201", "It is back.", "400", "401", "403", "404", "409", "413", "503", schema="Document", headers=_LOCATION
            ),
        },
    },
    "/api/documents/{id}/star": {
        "parameters": [_ID],
        "put": {
            "operationId": "star",
            "summary": "Give the document the caller's star; 1,000 at most",
            "responses": _answers("204", "It has it.", "400", "401", "403", "404", "409", "413", "503"),
        },
        "delete": {
            "operationId": "unstar",
            "summary": "Take the caller's star from the document",
            "responses": _answers("204", "It has none.", "400", "401", "403", "413", "503"),
        },
    },
    "/api/documents/{id}/visit": {
        "parameters": [_ID],
        "put": {
            "operationId": "visit",
            "summary": "The caller has opened the document just now",
            "responses": _answers("204", "Remembered.", "400", "401", "403", "404", "413", "503"),
        },
    },
    "/api/shelf": {
        "get": {
            "operationId": "shelf",
            "summary": "The caller's documents with a star, and those opened last",
            "responses": _answers("200", "What is there.", "401", "503", schema="Shelf"),
        },
    },
    **_shares("/api/documents/{id}/shares", [_ID], ""),
    **_shares("/api/shares", [], "_of_all"),
    "/v/": {
        "get": {
            "operationId": "readers_home",
            "summary": "What the caller opened last, as a page",
            "parameters": [_LANG],
            "responses": _SHOWN | _PAGES_REFUSED,
        },
    },
    "/v/{id}": {
        "parameters": [_READ, _LANG],
        "get": {
            "operationId": "read",
            "summary": "A document as a page for readers, or with `Accept: text/event-stream` what changes in it",
            "parameters": [
                {
                    "name": "If-None-Match",
                    "in": "header",
                    "required": False,
                    "description": "The page's etag: 304 while the page is the same.",
                    "schema": _STRING,
                },
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "required": False,
                    "description": "Of a stream: the version of the page that is shown (`data-version` of its body); what it lacks comes first.",
                    "schema": _STRING,
                },
            ],
            "responses": _READING | _NOT_CHANGED | _PAGES_REFUSED,
        },
        "post": {
            "operationId": "read_in_frame",
            "summary": "The page in a frame of a site in `COLLAB_FRAME_ANCESTORS`; other servers have no such route",
            "security": [],
            "requestBody": {
                "required": True,
                "content": {"application/x-www-form-urlencoded": {"schema": _object("token", token=_STRING)}},
            },
            "responses": _SHOWN | _PAGES_REFUSED,
        },
    },
    "/api/people": {
        "get": {
            "operationId": "people",
            "summary": "People and groups that something can be shared with",
            "parameters": [
                {"name": "query", "in": "query", "required": True, "schema": {"type": "string", "minLength": 2, "maxLength": 100}}
            ],
            "responses": _answers("200", "Those with these words in their names.", "400", "401", "403", "503", schema="People"),
        },
    },
    "/api/search": {
        "get": {
            "operationId": "search",
            "summary": "Documents whose name or text has all words, in any case",
            "description": "Lines of JSON, each sent as soon as it is known: names first, then texts, now and then how far the search is, and "
            "at last that it is over. It ends after 200 documents or 20 seconds, and when the caller hangs up.",
            "parameters": [_Q, _PATH_QUERY, _IN],
            "responses": _FOUND | _refusals("400", "401", "403", "404", "413", "429", "503"),
        },
    },
    "/api/folders": {
        "post": {
            "operationId": "make_folder",
            "summary": "Make an empty folder",
            "requestBody": _body(_object("path", path=_STRING)),
            "responses": _answers(*("201", "Made.", "400", "401", "403", "404", "409", "413", "415", "503"), schema="Document"),
        },
    },
    "/api/folders/{id}": {
        "parameters": [_FOLDER],
        "patch": {
            "operationId": "move_folder",
            "summary": "Rename or move a folder with all in it; ids stay",
            "requestBody": _body(_object("path", path=_STRING)),
            "responses": _answers(*("200", "Moved.", "400", "401", "403", "404", "409", "413", "415", "503"), schema="Document"),
        },
        "delete": {
            "operationId": "delete_folder",
            "summary": "Move a folder with all in it into the bin, as one entry",
            "responses": _answers("200", "In the bin.", "400", "401", "403", "404", "413", "503", schema="Deleted"),
        },
    },
    "/api/bin": {
        "get": {
            "operationId": "bin",
            "summary": "What was deleted and can come back",
            "responses": _answers("200", "The bin.", "401", "403", "503", schema="Bin"),
        },
    },
    "/api/office": {
        "get": {
            "operationId": "offices",
            "summary": "The office suites, how they are, and which files they open",
            "responses": _answers("200", "The suites.", "401", schema="Offices"),
        },
    },
    "/api/templates": {
        "get": {
            "operationId": "templates",
            "summary": "What new documents are made from",
            "responses": _answers("200", "The templates.", "401", "503", schema="Templates"),
        },
    },
    "/api/documents/{id}/office": {
        "parameters": [_ID],
        "get": {
            "operationId": "openings",
            "summary": "Which office suites open the document for you, and who has it open outside",
            "responses": _answers("200", "The openings.", "400", "401", "403", "404", "413", "503", schema="Openings"),
        },
        "post": {
            "operationId": "launch",
            "summary": "Open it in an office suite: address and token; the same again renews the token",
            "requestBody": _body(
                _object("suite", "action", suite=_STRING, action=_ACTION, lang={"type": "string", "description": "BCP 47."})
            ),
            "responses": _answers("200", "Address and token.", "400", "401", "403", "404", "413", "415", "503", schema="Launch"),
        },
    },
    "/api/conflicts": {
        "get": {
            "operationId": "conflicts",
            "summary": "What office suites sent and no document could take, and where it was kept",
            "responses": _answers("200", "The conflicts.", "401", "403", "503", schema="Conflicts"),
        },
    },
    "/api/bin/{key}/restoration": {
        "parameters": [_KEY],
        "post": {
            "operationId": "restore",
            "summary": "Bring it back to where it was, or to another path, under its own id; missing folders around it are made",
            "requestBody": _body({"type": "object", "properties": {"path": _STRING}}),
            "responses": _answers(
                *("201", "Restored.", "400", "401", "403", "404", "409", "413", "415", "503"), schema="Document", headers=_ETAG
            ),
        },
    },
    "/api/bin/{key}": {
        "parameters": [_KEY],
        "delete": {
            "operationId": "purge",
            "summary": "Let it go for good, with its history",
            "responses": _answers("204", "Gone.", "401", "403", "404", "503"),
        },
    },
}
