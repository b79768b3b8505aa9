// One unmodified client of the family that its first argument names, driven by JSON lines on stdin. It answers each line
// on stdout ({"id", "ok", "state"} or {"id", "error"}) and tells its whole state ({"state"}) whenever that changed.
import readline from 'node:readline'
import WebSocket from 'ws'
import { decodeStateVector, parseUpdateMeta } from 'yjs'

const { client, url, document: first, token: credential = null, awareness = true, options = {} } = JSON.parse(process.argv[2])

const families = {
  'y-websocket-1': () => yWebsocket(import('yjs'), import('y-websocket-1')),
  'y-websocket-2': () => yWebsocket(import('yjs'), import('y-websocket-2')),
  'y-websocket-3': () => yWebsocket(import('yjs'), import('y-websocket')),
  'y-websocket-4': () => yWebsocket(import('@y/y'), import('@y/websocket')),
  'hocuspocus-2': () => hocuspocus(import('hocuspocus-provider-2')),
  'hocuspocus-3': () => hocuspocus(import('hocuspocus-provider-3')),
  'hocuspocus-4': () => hocuspocus(import('@hocuspocus/provider'))
}

// ---- what the peer has seen -------------------------------------------------------------------------------------------------

let token = credential
const documents = new Map()
const seen = { connections: 0, frames: 0, closes: [], warnings: [] }
const sockets = new Set()

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')

let announced = false
let watched = true
const changed = () => {
  if (announced || !watched) return
  announced = true
  setTimeout(() => {
    announced = false
    say({ state: snapshot() })
  }, 5)
}

const snapshot = () => ({ ...seen, documents: Object.fromEntries([...documents].map(([name, opened]) => [name, opened.snapshot()])) })

for (const level of ['log', 'info', 'warn', 'error']) {
  console[level] = (...words) => {
    seen.warnings.push(words.map(String).join(' '))
    process.stderr.write(words.map(String).join(' ') + '\n')
    changed()
  }
}

// The polyfill that every family is given: `ws` itself, which also counts what passes.
class Socket extends WebSocket {
  constructor (address, protocols) {
    super(address, protocols)
    seen.connections += 1
    sockets.add(this)
    for (const opened of documents.values()) opened.wire.anew()
    this.on('message', (data) => {
      seen.frames += 1
      for (const opened of documents.values()) opened.heard(new Uint8Array(data))
      changed()
    })
    this.on('error', changed)
    this.on('open', changed)
    this.on('close', (code, reason) => {
      sockets.delete(this)
      seen.closes.push([code, reason.toString()])
      changed()
    })
  }

  send (data, ...rest) {
    for (const opened of documents.values()) opened.wire.tells?.(data)
    return super.send(data, ...rest)
  }
}

// ---- a document, whatever the family ----------------------------------------------------------------------------------------

class Opened {
  constructor (doc, text, presence, wire) {
    Object.assign(this, { doc, text, presence, wire })
    this.refused = []
    this.stateless = []
    this.typed = [] // words that are not known to be stored, each with the mark by which its wire knows it
    this.stored = new Set()
    doc.on('update', changed)
    presence?.on('change', changed)
    if (!awareness) presence?.setLocalState(null)
  }

  snapshot () {
    const { text, wire, refused, stateless, presence } = this
    const states = presence ? Object.fromEntries([...presence.getStates()].map(([id, state]) => [String(id), state])) : {}
    return { text: text.toString(), client: this.doc.clientID, refused, stateless, awareness: states, ...wire.state() }
  }

  insert (at, words) {
    this.doc.transact(() => this.text.insert(at, words))
  }

  delete (at, length) {
    this.doc.transact(() => this.text.delete(at, length))
  }

  // A line at the border of lines that `place` (0 to 1) picks: no line is ever torn.
  line (words, place) {
    const text = this.text.toString()
    const borders = [0]
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) borders.push(at + 1)
    this.insert(borders[Math.min(borders.length - 1, Math.floor(place * borders.length))], words + '\n')
  }

  // A word is stored when the server has told so of its update.
  heard (data) {
    this.wire.heard(data)
    this.typed = this.typed.filter(({ word, mark }) => !this.wire.covers(mark) || !this.stored.add(word))
  }

  type (word, place) {
    if (!this.wire.state().synced) return false
    this.line(word, place)
    this.typed.push({ word, mark: this.wire.mark() })
    return true
  }
}

// ---- the families -----------------------------------------------------------------------------------------------------------

const inAddress = (name) => name.split('/').map(encodeURIComponent).join('/')

async function yWebsocket (yjs, library) {
  const [Y, { WebsocketProvider }] = await Promise.all([yjs, library])
  const params = () => (token === null ? {} : { token })
  const providers = new Map()
  return {
    open (name) {
      const doc = new Y.Doc()
      const text = doc.getText ? doc.getText('content') : doc.get('content')
      const settings = { WebSocketPolyfill: Socket, disableBc: true, params: params(), connect: false, ...options }
      const provider = new WebsocketProvider(url + '/ws', inAddress(name), doc, settings)
      const wire = {
        state: () => ({ synced: provider.synced, connected: provider.wsconnected, pending: 0, scope: null }),
        takes: (update) => Y.applyUpdate(doc, update),
        // What the server echoes is durable: all our structs up to the last clock in it.
        echoed: 0,
        anew () {},
        heard (data) {
          if (data[0] !== 0 || data[1] !== 2) return
          const [length, start] = varUint(data, 2)
          const end = parseUpdateMeta(data.subarray(start, start + length)).to.get(doc.clientID)
          if (end !== undefined) this.echoed = Math.max(this.echoed, end)
        },
        mark: () => decodeStateVector(Y.encodeStateVector(doc)).get(doc.clientID),
        covers (clock) {
          return clock <= this.echoed
        }
      }
      provider.on('status', changed)
      provider.on('sync', changed)
      providers.set(name, provider)
      documents.set(name, new Opened(doc, text, provider.awareness, wire))
      provider.connect()
    },
    close (name) {
      providers.get(name).destroy()
      providers.delete(name)
      documents.delete(name)
    },
    connect () {
      for (const provider of providers.values()) {
        provider.params = params()
        if (client === 'y-websocket-1') provider.url = provider.url.split('?')[0] + (token === null ? '' : '?token=' + encodeURIComponent(token))
        provider.connect()
      }
    },
    disconnect () {
      providers.forEach((provider) => provider.disconnect())
    }
  }
}

async function hocuspocus (library) {
  const [Y, { HocuspocusProvider, HocuspocusProviderWebsocket }] = await Promise.all([import('yjs'), library])
  const settings = { delay: 200, minDelay: 100, maxDelay: 2000, ...options }
  const socket = new HocuspocusProviderWebsocket({ url: url + '/collaboration', WebSocketPolyfill: Socket, ...settings })
  for (const event of ['status', 'open', 'close', 'disconnect']) socket.on(event, changed)
  const providers = new Map()
  return {
    // `key` is how commands call it, the document's name unless it is opened twice
    open (name, settings = {}, key = name) {
      const doc = new Y.Doc()
      const provider = new HocuspocusProvider({
        websocketProvider: socket,
        name,
        document: doc,
        token: token === null ? null : () => token,
        broadcast: false,
        ...settings
      })
      const wire = {
        takes: (update) => Y.applyUpdate(doc, update),
        state: () => ({
          synced: provider.isSynced,
          connected: socket.status === 'connected',
          pending: provider.unsyncedChanges,
          scope: provider.authorizedScope ?? null
        }),
        // Statuses come in the order of the edits, one for each. The provider's own count is off after a reconnect: it begins anew
        // at 1 and then also sends what had waited.
        sent: 0,
        statuses: 0,
        anew () {
          this.sent = this.statuses = 0
        },
        tells (data) {
          const [type, kind] = behindAddress(data, name)
          if (type === 0 && kind > 0) this.sent += 1
        },
        heard (data) {
          const [type, applied] = behindAddress(data, name)
          if (type === 8 && applied === 1) this.statuses += 1
        },
        marked: '',
        mark () {
          const mark = { connection: seen.connections, number: this.sent }
          const fresh = this.marked !== JSON.stringify(mark) // else it was not sent at all
          this.marked = JSON.stringify(mark)
          return fresh ? mark : null
        },
        covers (mark) {
          return mark !== null && mark.connection === seen.connections && mark.number <= this.statuses
        }
      }
      const opened = new Opened(doc, doc.getText('content'), provider.awareness, wire)
      documents.set(key, opened)
      providers.set(key, provider)
      provider.on('authenticationFailed', ({ reason }) => { opened.refused.push(reason); changed() })
      provider.on('stateless', ({ payload }) => { opened.stateless.push(payload); changed() })
      for (const event of ['synced', 'authenticated', 'unsyncedChanges', 'close']) provider.on(event, changed)
      provider.attach?.()
    },
    close (name) {
      providers.get(name).destroy()
      providers.delete(name)
      documents.delete(name)
    },
    connect () {
      // A refused provider 2.x had left the socket; and its socket does not connect by itself when it was trying to at the end.
      if (client === 'hocuspocus-2') providers.forEach((provider) => provider.connect())
      if (client !== 'hocuspocus-2' || socket.webSocket === null) socket.connect()
    },
    disconnect () {
      socket.disconnect()
    },
    stateless (name, payload) {
      providers.get(name).sendStateless(payload)
    }
  }
}

// The two bytes behind the address of a message of Hocuspocus, if it is this document's.
function behindAddress (data, name) {
  const [length, start] = varUint(data, 0)
  const address = Buffer.from(data.subarray(start, start + length)).toString()
  return address === name ? [data[start + length], data[start + length + 1]] : []
}

function varUint (data, at) {
  let value = 0
  for (let shift = 1; ; shift *= 128) {
    const byte = data[at++]
    value += (byte & 127) * shift
    if (byte < 128) return [value, at]
  }
}

// ---- typing by itself: a word each `pause` milliseconds, until told to rest ---------------------------------------------------

let typing = null
let words = 0
const all = []

function type ({ document, prefix, pause, seed }) {
  let random = seed
  const place = () => (random = (random * 48271) % 2147483647) / 2147483647
  typing = setInterval(() => {
    const word = `${prefix}-${words}`
    if (!documents.get(document).type(word, place())) return
    words += 1
    all.push(word)
  }, pause)
}

function rest ({ document }) {
  clearInterval(typing)
  typing = null
  return { typed: all, stored: [...documents.get(document).stored] }
}

// ---- commands ---------------------------------------------------------------------------------------------------------------

const family = await families[client]()
const on = (command) => documents.get(command.document)
const commands = {
  open: (command) => family.open(command.document, command.settings, command.key),
  close: (command) => family.close(command.document),
  state: () => snapshot(),
  insert: (command) => on(command).insert(command.at, command.text),
  delete: (command) => on(command).delete(command.at, command.length),
  line: (command) => on(command).line(command.text, command.place),
  // What somebody else has written, by another way.
  apply: (command) => on(command).wire.takes(Uint8Array.from(Buffer.from(command.update, 'base64'))),
  awareness: (command) => on(command).presence.setLocalState(command.state),
  stateless: (command) => family.stateless(command.document, command.payload),
  watch: (command) => { watched = command.on },
  token: (command) => { token = command.token },
  connect: () => family.connect(),
  disconnect: () => family.disconnect(),
  cut: () => sockets.forEach((socket) => socket.terminate()),
  type,
  rest,
  progress: (command) => ({ typed: all.length, stored: on(command).stored.size })
}

family.open(first)
say({ ready: true, state: snapshot() })

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    const ok = commands[command.do](command) ?? null
    say({ id: command.id, ok, ...(watched && { state: snapshot() }) })
  } catch (error) {
    say({ id: command.id, error: String(error.stack ?? error) })
  }
}
process.exit(0)
