// BMP sessions in a packet capture, whatever their port: node parse-pcap.mjs FILE.pcap
import { createReadStream } from 'node:fs'
import { BmpFramer, CaptureReader, decodeBmpMessage } from '@ribscope/wire'

const framers = new Map()

const reader = new CaptureReader({
  onOpen: ({ id, source, sourcePort }) => {
    const framer = new BmpFramer((bytes, start, end) => {
      const message = decodeBmpMessage(bytes, start, end, {}, framer.view)
      if (message.kind !== 'route_monitoring' || message.update === null) return
      for (const { family, nextHop, routes } of message.update.announced) {
        for (const { nlri } of routes) console.log(source, family, nlri, 'via', nextHop)
      }
    })
    framers.set(id, framer)
    console.log(`BMP from ${source} port ${sourcePort}`)
  },
  onData: ({ id }, bytes) => framers.get(id).push(bytes),
  onEnd: ({ id, source }, how) => {
    console.log(`BMP from ${source} ended: ${how}, ${framers.get(id).offset} octets`)
  },
})

for await (const chunk of createReadStream(process.argv[2])) reader.push(chunk)
reader.end()
