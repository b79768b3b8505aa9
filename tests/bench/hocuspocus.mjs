// Hocuspocus with a token that it checks: `node hocuspocus.mjs PORT TOKEN`.
import { Server } from '@hocuspocus/server'

const [, , port, token] = process.argv
const server = new Server({
  port: Number(port),
  address: '127.0.0.1',
  quiet: true,
  async onAuthenticate (request) {
    if (request.token !== token) throw new Error('no')
  }
})
await server.listen()
