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
_PATH_QUERY: Json = {"name": "path", "in": "query", "required": False, "description": "A folder; empty is the root.", "schema": _STRING}

_SCHEMAS: Json = {
    "Document": _object(
        *("id", "path", "type", "size", "etag", "modified", "role"),
        id={"type": "string", "description": "`id:` and 26 letters; survives renames. Empty for a folder."},
        path={"type": "string", "description": "Under the root, `/` between folders."},
        type={"type": "string", "description": "Media type; `inode/directory` for a folder."},
        size={"type": "integer", "minimum": 0, "description": "Bytes."},
        etag={"type": "string", "description": "Changes with the content. In headers it stands in quotes."},
        modified={"type": "string", "format": "date-time"},
        role={"type": "string", "enum": ["viewer", "editor", "owner"], "description": "What the caller may do with it."},
    ),
    "Listing": _object("path", "documents", path=_STRING, documents={"type": "array", "items": _ref("Document")}),
    "Session": _object(
        *("id", "name", "color", "role", "version"),
        id=_STRING,
        name=_STRING,
        color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        role={"type": "string", "enum": ["viewer", "editor", "owner"]},
        version={"type": "string", "description": "The server's."},
    ),
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
            "summary": "Turn the secret of a printed address into a session cookie, once",
            "security": [],
            "requestBody": _body(_object("secret", secret=_STRING)),
            "responses": _answers("200", "Signed in.", "400", "401", "403", "413", "415", schema="Session"),
        },
        "delete": {
            "operationId": "sign_out",
            "summary": "End the session",
            "security": [],
            "responses": _answers("204", "Signed out.", "403"),
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
            "requestBody": _body(_object("path", path=_STRING, content={"type": "string", "description": "Empty when left out."})),
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
            "summary": "Remove the document",
            "parameters": [_IF_MATCH],
            "responses": _answers("204", "Removed.", "400", "401", "403", "404", "412", "413", "428", "503"),
        },
    },
    "/api/documents/{id}/content": {
        "parameters": [_ID],
        "get": {
            "operationId": "content",
            "summary": "The bytes of the file as it is or will be saved, once they are durable",
            "parameters": [_IF_NONE_MATCH],
            "responses": {
                "200": {
                    "description": "The content, as an attachment.",
                    "headers": _ETAG,
                    "content": _content({"type": "string", "contentMediaType": "application/octet-stream"}, "*/*"),
                },
            }
            | _refusals("400", "401", "403", "404", "413", "503")
            | _NOT_CHANGED,
        },
    },
}
