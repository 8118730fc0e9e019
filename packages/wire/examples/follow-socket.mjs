// A BMP station: routers connect, every message is a line of JSON: node follow-socket.mjs [PORT]
import { createServer } from 'node:net'
import { BmpFramer, decodeBmpMessage, PeerCodec } from '@ribscope/wire'

const server = createServer((socket) => {
  // What the OPENs of each peer agreed on: ADD-PATH by direction, octets per AS number.
  const codecs = new Map()
  const keyOf = ({ distinguisherHi, distinguisherLo, bgpId, asn }) =>
    `${distinguisherHi} ${distinguisherLo} ${bgpId} ${asn}`
  let key = ''

  const framer = new BmpFramer((bytes, start, end) => {
    const codecOf = (header) => codecs.get((key = keyOf(header)))
    const message = decodeBmpMessage(bytes, start, end, { codecOf }, framer.view)
    if (message.kind === 'peer_up' && message.sentOpen && message.receivedOpen) {
      codecs.set(key, PeerCodec.fromOpens(message.sentOpen, message.receivedOpen))
    }
    if (message.kind === 'peer_down') codecs.delete(key)
    console.log(JSON.stringify({ router: socket.remoteAddress, ...message }))
  })

  socket.on('data', (chunk) => {
    try {
      framer.push(chunk)
    } catch (error) {
      // A DecodeError: framing is lost, and there is no way back into step.
      console.error(`${socket.remoteAddress}: ${error.message}`)
      socket.destroy()
    }
  })
  socket.on('error', (error) => console.error(error.message))
})

server.listen(Number(process.argv[2] ?? 11019), () => {
  console.error(`listening on port ${server.address().port}`)
})
