"""The names of what is in Redis, and what scripts of claims and of logs have in common (docs/explanation/several-nodes.md)."""

from __future__ import annotations

PREFIX = "collab:"

LUA = """
local P = ARGV[1]
local function millis() local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end
local function int(x) return string.format('%.0f', x) end
local function doc(id) return P .. 'doc:' .. id end
local function log(id) return P .. 'log:' .. id end
local function settled(id, edited, saved)
  if edited > saved then redis.call('SADD', P .. 'unsaved', id) else redis.call('SREM', P .. 'unsaved', id) end
end
"""
"""What each script begins with; its first argument is the prefix.

- `doc:ID` hash: `node` (who has the claim), `fence`, `begun` (the fence whose node appended last), `position` (the last in the log), `trimmed`
  (what the archive's checkpoint has), `edited`, `saved` (positions).
- `log:ID` stream: one entry a record, `position-0`: `k` kind, `m` meta, `b` body.
- `unsaved` set: documents with `edited` after `saved`.
- `fence`: the last fencing number that was given to anybody. `epoch` hash: `run` (the server process of Redis), `since` (milliseconds).
- `node:NAME`: `incarnation since address`, gone when its time is over. `members` set, `docs:NODE` sets: who claimed what.
"""
